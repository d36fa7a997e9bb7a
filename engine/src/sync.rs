//! The atomics that the lock-free parts are made of. They reach them by this name alone, so that the package
//! `headroom-models` can put the model checker's in their place.

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
