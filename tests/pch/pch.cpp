// Something to carry the precompiled header.
