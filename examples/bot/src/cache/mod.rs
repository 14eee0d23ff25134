//! Where answers are kept, from the nearest layer to the farthest: this process, Redis, what was worked out beforehand.

mod memory;
mod precomputed;
mod redis;

pub use self::{
    memory::Memory,
    precomputed::Precomputed,
    redis::{Found, Redis},
};
