//! Git LFS content in a checked-out tree: found locally by its digest, so that git-lfs need not be installed; what is not
//! here is asked of git-lfs when it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    files::{self, tree},
    git::{Error, command},
    process::{self, Interrupt},
};

/// Settings that let a checkout write pointers in place of content; [`fill`] replaces them.
pub const POINTERS_ONLY: [&str; 6] =
    ["-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"];

/// The first line of a pointer.
const VERSION: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// No pointer is longer.
const MOST_POINTER_BYTES: u64 = 1024;

/// What a pointer stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pointer {
    digest: String,
    bytes: u64,
}

/// Replaces every LFS pointer among `paths` of the tree at `root` by its content, and returns those left.
///
/// Content comes from the repository's LFS objects (`common/lfs/objects`), from the file of the same name in `work_tree` when
/// its digest is right, and at last from `git lfs pull`.
///
/// # Errors
/// When a file cannot be read or written. Content that cannot be had is no error.
pub fn fill(
    root: &Path,
    paths: &[PathBuf],
    common: &Path,
    work_tree: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, Error> {
    if !uses_lfs(root, paths) {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for (path, pointer) in pointers(root, paths) {
        if !fill_locally(&root.join(&path), &pointer, common, &work_tree.join(&path))? {
            missing.push(path);
        }
    }
    if !missing.is_empty() {
        let pull = command::git(root).args(["lfs", "pull"]);
        match process::run(&pull, interrupt) {
            Err(interrupted @ process::Error::Interrupted { .. }) => return Err(interrupted.into()),
            // Not installed, offline, no right to read: what is still a pointer below is reported.
            _ => missing.retain(|path| pointer(&root.join(path)).is_some()),
        }
    }
    Ok(missing)
}

fn uses_lfs(root: &Path, paths: &[PathBuf]) -> bool {
    let attributes =
        paths.iter().filter(|path| path.file_name().is_some_and(|name| name == ".gitattributes"));
    attributes
        .filter_map(|path| fs::read(root.join(path)).ok())
        .any(|text| text.windows(b"filter=lfs".len()).any(|window| window == b"filter=lfs"))
}

fn pointers(root: &Path, paths: &[PathBuf]) -> Vec<(PathBuf, Pointer)> {
    paths.iter().filter_map(|path| Some((path.clone(), pointer(&root.join(path))?))).collect()
}

fn pointer(path: &Path) -> Option<Pointer> {
    let found = fs::symlink_metadata(path).ok()?;
    if !found.is_file() || found.len() > MOST_POINTER_BYTES {
        return None;
    }
    let text = fs::read(path).ok()?;
    let rest = std::str::from_utf8(text.strip_prefix(VERSION)?).ok()?;
    let value = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key));
    let digest =
        value("oid sha256:").filter(|d| d.len() == 64 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some(Pointer { digest: digest.to_ascii_lowercase(), bytes: value("size ")?.parse().ok()? })
}

fn fill_locally(path: &Path, pointer: &Pointer, common: &Path, same: &Path) -> Result<bool, Error> {
    let object = [&pointer.digest[..2], &pointer.digest[2..4], &pointer.digest].iter().collect::<PathBuf>();
    for candidate in [common.join("lfs/objects").join(object), same.to_owned()] {
        let fits = fs::metadata(&candidate).is_ok_and(|f| f.is_file() && f.len() == pointer.bytes);
        if fits && tree::file_digest(&candidate)? == pointer.digest {
            fs::copy(&candidate, path).map_err(files::Error::at("write", path))?;
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer_to(content: &str) -> (String, String) {
        let digest = tree::text_digest(content);
        (
            format!(
                "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n",
                content.len()
            ),
            digest,
        )
    }

    #[test]
    fn content_comes_from_local_objects_or_the_work_tree_and_what_is_nowhere_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, common, work) =
            (folder.path().join("tree"), folder.path().join("common"), folder.path().join("work"));
        for folder in [&tree, &common, &work] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(tree.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n").unwrap();
        for name in ["stored", "at work", "changed at work", "lost"] {
            fs::write(tree.join(format!("{name}.bin")), pointer_to(name).0).unwrap();
        }
        let digest = pointer_to("stored").1;
        let object = common.join(format!("lfs/objects/{}/{}/{digest}", &digest[..2], &digest[2..4]));
        files::atomic::write(&object, b"stored").unwrap();
        fs::write(work.join("at work.bin"), "at work").unwrap();
        fs::write(work.join("changed at work.bin"), "CHANGED AT WORK").unwrap();

        let paths = tree::list(&tree, &|_| false).unwrap();
        let missing = fill(&tree, &paths, &common, &work, &Interrupt::new()).unwrap();
        assert_eq!(missing, [PathBuf::from("changed at work.bin"), PathBuf::from("lost.bin")]);
        assert_eq!(fs::read_to_string(tree.join("stored.bin")).unwrap(), "stored");
        assert_eq!(fs::read_to_string(tree.join("at work.bin")).unwrap(), "at work");
    }

    #[test]
    fn pointer_with_a_digest_that_is_no_digest_is_no_pointer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "version https://git-lfs.github.com/spec/v1\noid sha256:../../etc\nsize 3\n")
            .unwrap();
        assert_eq!(pointer(&path), None);
    }
}
