"""Who may do what to images: one row for each operation. What has no row is denied.

That an image is seen at all is decided before, see access.py: who does not see it gets 404.

Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.api.policy import ADMIN, ANYONE, CHANGE, SEE, Policy, Rules

RULES: Rules = {
    "get_images": ANYONE,  # each sees what is theirs, or was given to them
    # Asked of the caller's own project, since images of others can be seen too.
    "get_image": SEE,
    "download_image": CHANGE,
    # Asked of the project that owns the image.
    "add_image": CHANGE,
    "modify_image": CHANGE,
    "publicize_image": ADMIN,
    "communitize_image": CHANGE,
    "change_owner": ADMIN,
    "upload_image": CHANGE,
    "download_deactivated": ADMIN,
    "delete_image": CHANGE,
    "deactivate": CHANGE,
    "reactivate": CHANGE,
    "get_image_tasks": SEE,
    "get_members": SEE,
    "get_member": SEE,
    "add_member": CHANGE,
    "delete_member": CHANGE,
    # Asked of the project that the image is shared with: its owner does not answer for it.
    "modify_member": CHANGE,
    # What is true of the service itself.
    "get_schema": ANYONE,
    "get_import_info": ANYONE,
    "get_stores_info": ANYONE,
    "get_usage": ANYONE,
}

POLICY = Policy("image", RULES)
