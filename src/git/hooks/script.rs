//! The hook's text. Its second line carries the digest of the rest, so that a hook that somebody edited is known from ours.

use std::path::Path;

use crate::{files::tree, git::hooks::Error};

/// Begins the second line of every hook of ours.
const MARKER: &str = "# tollgate-hook 1 ";
/// Stands in a hook for which the folder was made; the folder goes with the hook.
const MADE_FOLDER: &str = "# The folder was made for it.\n";
/// The first line.
const SHEBANG: &str = "#!/bin/sh\n";

/// What the script is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script<'a> {
    /// The absolute path of this program.
    pub program: &'a Path,
    /// What is said behind `hook run pre-push`, such as `--budget 30s`; plain words.
    pub flags: &'a str,
    /// Whether the folder of hooks is made for it.
    pub made_folder: bool,
}

/// Whose a hook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// As we wrote it.
    Ours,
    /// Written by us, and changed since.
    Edited,
    /// Somebody else's.
    Foreign,
}

impl Script<'_> {
    /// The text.
    ///
    /// # Errors
    /// When the path is no UTF-8 or has line breaks.
    pub fn text(&self) -> Result<String, Error> {
        let path = self.program.to_str().filter(|path| !path.contains(['\n', '\r', '\0']));
        let path = path.ok_or_else(|| Error::Path(self.program.to_owned()))?;
        // A shell of Windows takes slashes too, and backslashes only sometimes.
        let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
        let folder = if self.made_folder { MADE_FOLDER } else { "" };
        let body = BODY
            .replace("@FOLDER@\n", folder)
            .replace("@FLAGS@", if self.flags.is_empty() { "" } else { " @FLAGS@" })
            .replace("@FLAGS@", self.flags)
            .replace("@PROGRAM@", &path.replace('\'', r"'\''"));
        Ok(format!("{SHEBANG}{MARKER}{}\n{body}", tree::text_digest(&body)))
    }
}

/// Whose the text of a hook is.
#[must_use]
pub fn whose(text: &[u8]) -> Whose {
    let Ok(text) = std::str::from_utf8(text) else {
        return if contains(text, MARKER.as_bytes()) { Whose::Edited } else { Whose::Foreign };
    };
    let marked = text.strip_prefix(SHEBANG).and_then(|rest| rest.strip_prefix(MARKER));
    match marked.and_then(|rest| rest.split_once('\n')) {
        Some((digest, body)) if tree::text_digest(body) == digest => Whose::Ours,
        _ if text.contains(MARKER) => Whose::Edited,
        _ => Whose::Foreign,
    }
}

/// Whether the folder was made for a hook of ours.
#[must_use]
pub fn made_folder(text: &[u8]) -> bool {
    contains(text, MADE_FOLDER.as_bytes())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What comes after the marker. The program takes the shell's place, so that a signal to the hook reaches it. The input is kept with
/// a full stop behind it, because a shell cuts line breaks at the end of what it captures.
const BODY: &str = r#"# Made by `tollgate hook install`; `tollgate hook uninstall` takes it away and puts back what was here.
# Do not edit it: your own lines belong into `pre-push.pre-tollgate` beside it, which runs first with the same input.
@FOLDER@
if [ -t 0 ]; then lines=.; else lines=$(cat; echo .); fi
before="${0%/*}/pre-push.pre-tollgate"
if [ -f "$before" ] && [ -x "$before" ]; then
    printf '%s' "${lines%.}" | "$before" "$@" || exit $?
fi
tollgate='@PROGRAM@'
if [ ! -x "$tollgate" ]; then
    tollgate=$(command -v tollgate) || tollgate=
fi
if [ -z "$tollgate" ] || ! "$tollgate" hook run --help >/dev/null 2>&1; then
    echo "tollgate: warning: the program of this hook is gone or too old, so the push goes on without being judged;" >&2
    echo "  \`tollgate hook install\` mends it, \`tollgate hook uninstall\` takes the hook away" >&2
    exit 0
fi
exec "$tollgate" hook run pre-push@FLAGS@ -- "$@" <<LINES
${lines%.}
LINES
"#;

#[cfg(test)]
mod tests {
    use super::{Script, Whose, made_folder, whose};
    use std::path::Path;

    fn text(path: &str, flags: &str, made_folder: bool) -> String {
        Script { program: Path::new(path), flags, made_folder }.text().unwrap()
    }

    #[test]
    fn a_script_knows_itself_and_any_change_of_it() {
        let ours = text("/opt/it's/tollgate", "--budget 30s", false);
        assert!(ours.contains(r"tollgate='/opt/it'\''s/tollgate'"), "{ours}");
        assert!(ours.contains("hook run pre-push --budget 30s -- \"$@\""), "{ours}");
        assert_eq!(whose(ours.as_bytes()), Whose::Ours);
        let edited = format!("{ours}echo mine\n");
        assert_eq!(whose(edited.as_bytes()), Whose::Edited);
        assert_eq!(whose(ours.replacen("#!/bin/sh", "#!/bin/bash", 1).as_bytes()), Whose::Edited);
        assert_eq!(whose([ours.as_bytes(), b"\xff"].concat().as_slice()), Whose::Edited);
    }

    #[test]
    fn hooks_of_others_are_theirs_whatever_they_call() {
        for theirs in ["", "#!/bin/sh\n", "#!/bin/sh\ntollgate hook run pre-push \"$@\"\n"] {
            assert_eq!(whose(theirs.as_bytes()), Whose::Foreign);
        }
        assert_eq!(whose(b"\x7fELF\xff\xfe"), Whose::Foreign);
    }

    #[test]
    fn the_folder_that_was_made_is_remembered() {
        assert!(made_folder(text("/t", "", true).as_bytes()));
        let plain = text("/t", "", false);
        assert!(!made_folder(plain.as_bytes()));
        assert!(plain.contains("hook run pre-push -- \"$@\" <<"), "{plain}");
        assert!(!plain.contains("@F") && !plain.contains("@P"), "{plain}");
    }

    #[test]
    fn a_path_that_a_script_cannot_hold_is_refused() {
        let broken = Script { program: Path::new("/a\nb"), flags: "", made_folder: false };
        assert!(broken.text().is_err());
    }
}
