//! Why the disk did not do what was asked, in words that name the folder.
//!
//! WASI says of a write only that it failed, and has one number for a folder that may only be read and for a link that
//! leads out of it. What it does not say is found out by trying.

use std::io;
use std::path::Path;

use lockgate_sdk::Failure;

use crate::site::Site;

const TRIAL: &str = ".trial";
const TRIAL_BYTES: usize = 64 << 10;

/// Anything but code `io` says all there is to say.
pub fn explained(failure: Failure, site: &Site, folder: &str) -> Failure {
    if failure.code != "io" {
        return failure;
    }
    let tried = write_some(site.root());
    // Where it cannot be written to, nothing was left; where there is no space, an empty file may have been.
    let _ = std::fs::remove_file(site.root().join(TRIAL));
    explain(failure, tried, folder)
}

fn explain(failure: Failure, tried: io::Result<()>, folder: &str) -> Failure {
    let (code, why) = match tried.map_err(|error| error.kind()) {
        Err(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            ("disk-full", format!("no space left in the folder `{folder}`"))
        }
        Err(io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) => {
            ("read-only", format!("the folder `{folder}` is read-only"))
        }
        Ok(()) if failure.message.ends_with("not permitted") => {
            ("io", format!("a link leads out of the folder `{folder}`, or is in the way there"))
        }
        Ok(()) | Err(_) => ("io", format!("in the folder `{folder}`")),
    };
    failure.context(why).with_code(code)
}

/// By a stream WASI would not say why it failed; so not by `std`.
#[cfg(target_family = "wasm")]
fn write_some(root: &Path) -> io::Result<()> {
    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

    let kind = |code: ErrorCode| match code {
        ErrorCode::InsufficientSpace | ErrorCode::Quota => io::ErrorKind::StorageFull,
        ErrorCode::ReadOnly => io::ErrorKind::ReadOnlyFilesystem,
        ErrorCode::NotPermitted | ErrorCode::Access => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    let granted = get_directories().into_iter().find(|(_, path)| Path::new(path) == root);
    let (folder, _) = granted.ok_or(io::ErrorKind::NotFound)?;
    let trial = folder.open_at(PathFlags::empty(), TRIAL, OpenFlags::CREATE, DescriptorFlags::WRITE).map_err(kind)?;
    let mut written = 0;
    while written < TRIAL_BYTES as u64 {
        // On a disk that is nearly full a part is taken at first.
        match trial.write(&[0; TRIAL_BYTES], written).map_err(kind)? {
            0 => return Err(io::ErrorKind::StorageFull.into()),
            count => written += count,
        }
    }
    Ok(())
}

#[cfg(not(target_family = "wasm"))]
fn write_some(root: &Path) -> io::Result<()> {
    std::fs::write(root.join(TRIAL), [0; TRIAL_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str, tried: io::Result<()>) -> (String, String) {
        let failure = explain(Failure::fatal("io", message), tried, "site");
        (failure.code, failure.message)
    }

    #[test]
    fn a_disk_that_says_no_is_told_with_the_folder() {
        let (code, message) = told("unpacking `a`: the disk failed", Err(io::ErrorKind::StorageFull.into()));
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("disk-full", "no space left in the folder `site`: unpacking `a`: the disk failed")
        );
        let (code, message) = told("unpacking `a`: not permitted", Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("read-only", "the folder `site` is read-only: unpacking `a`: not permitted")
        );
        let (code, message) = told("unpacking `a`: not permitted", Ok(()));
        assert_eq!((code.as_str(), message.starts_with("a link leads out of the folder `site`")), ("io", true));
    }

    #[test]
    fn trying_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::open(folder.path().to_owned()).unwrap();

        let failure = explained(Failure::fatal("io", "reading `a`: the disk failed"), &site, "site");

        assert_eq!(failure.message, "in the folder `site`: reading `a`: the disk failed");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
