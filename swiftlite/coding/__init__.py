"""How bytes survive: stripes, cells and the codecs that rebuild them."""
