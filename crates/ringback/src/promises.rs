//! What ringback promises for calls that come in, and what it does not.
