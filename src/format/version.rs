//! Which document is this, and may this tollgate read it?

use serde::Deserialize;

use super::reading::{Error, Fault, MAX_RUN_BYTES, bounded};

/// A kind of document, with the newest major version of it that this tollgate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `tollgate.run/1`: raw samples.
    Run,
    /// `tollgate.verdict/1`: judged rows.
    Verdict,
    /// `tollgate.baseline/1`: stored runs.
    Baseline,
    /// `tollgate.history/1`: one recorded run.
    History,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Run, Self::Verdict, Self::Baseline, Self::History];

    /// The name before the slash: `tollgate.run`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "tollgate.run",
            Self::Verdict => "tollgate.verdict",
            Self::Baseline => "tollgate.baseline",
            Self::History => "tollgate.history",
        }
    }

    /// The newest major version that is read; it is also the one that is written.
    #[must_use]
    pub fn major(self) -> u32 {
        1
    }

    /// The value of the key `schema` in the documents that this tollgate writes: `tollgate.run/1`.
    #[must_use]
    pub fn schema(self) -> String {
        format!("{}/{}", self.name(), self.major())
    }
}

/// What a document says it is.
///
/// # Errors
/// When it is no JSON object, has no key `schema` with a known name, or is of a newer major version.
pub fn kind(bytes: &[u8]) -> Result<Kind, Error> {
    let schema = declared(bounded(bytes, MAX_RUN_BYTES)?)?;
    let name = schema.split_once('/').map_or(schema.as_str(), |(name, _)| name);
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| Error::from(Fault::Unknown { found: schema.clone() }))?;
    check(&schema, kind)?;
    Ok(kind)
}

/// Whether a document with this `schema` may be read as `kind`.
pub(super) fn check(schema: &str, kind: Kind) -> Result<(), Fault> {
    let Some((name, major)) = schema.split_once('/') else {
        return Err(Fault::Unknown { found: schema.to_owned() });
    };
    if name != kind.name() {
        return Err(Fault::Other { found: schema.to_owned(), expected: kind.schema() });
    }
    match major.parse::<u32>() {
        Ok(0) | Err(_) => Err(Fault::Unknown { found: schema.to_owned() }),
        Ok(major) if major > kind.major() => {
            Err(Fault::Newer { found: schema.to_owned(), reads: kind.major() })
        }
        Ok(_) => Ok(()),
    }
}

/// The value of the key `schema`, whatever the rest of the document holds.
pub(super) fn declared(bytes: &[u8]) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Probe {
        schema: Option<String>,
    }
    let text = bytes.trim_ascii_start();
    if !text.starts_with(b"{") {
        return Err(Fault::NoObject { start: beginning(text) }.into());
    }
    let probe: Probe = serde_json::from_slice(bytes).map_err(|error| Fault::from(&error))?;
    Ok(probe.schema.ok_or(Fault::NoSchema)?)
}

/// The first characters of a text, enough to know it again.
fn beginning(text: &[u8]) -> String {
    const MOST: usize = 20;
    String::from_utf8_lossy(&text[..text.len().min(4 * MOST)]).chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, check, kind};

    #[test]
    fn a_newer_major_is_refused_with_both_versions_named() {
        let error = kind(br#"{"schema": "tollgate.run/2"}"#).unwrap_err().in_file("base.json");
        assert_eq!(
            error.to_string(),
            "`base.json` has format `tollgate.run/2`; this tollgate reads up to `/1`"
        );
        assert_eq!(crate::hint::Hint::hint(&error).as_deref(), Some("update tollgate"));
    }

    #[test]
    fn a_document_of_another_kind_is_named() {
        assert_eq!(kind(br#"{"schema": "tollgate.baseline/1"}"#).unwrap(), Kind::Baseline);
        assert!(check("tollgate.verdict/1", Kind::Run).is_err());
        for odd in ["tollgate.run", "tollgate.run/0", "tollgate.run/x", "tollgate.run/99999999999999"] {
            assert!(check(odd, Kind::Run).is_err(), "{odd}");
        }
        assert!(kind(br#"{"schema": "other/1"}"#).is_err());
        assert!(kind(b"{}").is_err());
    }

    #[test]
    fn what_is_no_object_is_told_by_how_it_starts() {
        let told = |bytes: &[u8]| kind(bytes).unwrap_err().in_file("v.json").to_string();
        assert_eq!(told(b"[]"), "`v.json` is no run, verdict or baseline file: it starts with `[]`");
        assert_eq!(told(b" \n17"), "`v.json` is no run, verdict or baseline file: it starts with `17`");
        assert_eq!(
            told(b"\x1bPK\xff"),
            "`v.json` is no run, verdict or baseline file: it starts with `\\u{1b}PK\u{fffd}`"
        );
        assert_eq!(told("é".repeat(99).as_bytes()).matches('é').count(), 20);
        assert_eq!(told(b" "), "`v.json` is empty");
    }
}
