//! Building blocks of the modules.
