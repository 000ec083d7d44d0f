"""One module for each kind of channel: a parcel goes in, an outcome comes out."""
