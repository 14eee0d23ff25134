//! The address of the API, and why one is not used.

use crate::github::failure::Error;
use hyper::Uri;

/// The host of an address that may be used.
pub(super) fn checked(address: &str) -> Result<String, Error> {
    let refuse =
        |why: &str| Error::Address { address: address.chars().take(200).collect(), why: why.to_owned() };
    let uri: Uri = address.parse().map_err(|_| refuse("it is no address"))?;
    let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("it holds a user or password"));
    }
    let host = authority.host().trim_matches(['[', ']']);
    let loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(authority.to_string()),
        Some("http") if loopback => Ok(authority.to_string()),
        Some("http") => Err(refuse("over plain HTTP everybody on the way would see the token")),
        _ => Err(refuse("it must begin with `https://`")),
    }
}
