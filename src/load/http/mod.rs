//! HTTP as the generator needs it: every moment of a request seen from outside, nothing followed, nothing decoded.
//!
//! | file | what it owns |
//! |---|---|
//! | [`fault`] | how a request broke, by kind |
//! | [`stream`] | a TCP or Unix stream, plain or under TLS |
//! | [`target`] | where requests go, and who may be asked |
//! | [`tls`] | whom TLS trusts |
//! | [`wire`] | one connection and one exchange on it |

pub(crate) mod fault;
pub(crate) mod stream;
pub(crate) mod target;
pub(crate) mod tls;
pub(crate) mod wire;
