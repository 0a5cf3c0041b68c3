//! Whether the files of a configuration have changed: by what is in them, since Kubernetes swaps a symbolic link above them.

use std::path::PathBuf;
use std::time::Duration;

/// How often the files are looked at. Notifications of the file system miss what happens to a link three directories up, and are not there
/// at all on some volumes; reading a few kilobytes is cheap.
const LOOK: Duration = Duration::from_secs(1);

/// Files, and what was in them.
pub(super) struct Files(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Files {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), std::fs::read(path).ok())).collect())
    }

    /// Ends when one of them holds something else. A file that is not there is waited for: it is being replaced.
    pub(super) async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let is_another = |(path, was): &(PathBuf, Option<Vec<u8>>)| std::fs::read(path).is_ok_and(|now| was.as_ref() != Some(&now));
            if self.0.iter().any(is_another) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_elsewhere_is_a_change_and_a_touch_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other, link) = (folder.path().join("1"), folder.path().join("2"), folder.path().join("config.yaml"));
        std::fs::write(&one, "a: 1").unwrap();
        std::fs::write(&other, "a: 2").unwrap();
        std::os::unix::fs::symlink(&one, &link).unwrap();
        let mut files = Files::of(std::slice::from_ref(&link));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            std::fs::write(&one, "a: 1").unwrap();
            assert!(tokio::time::timeout(LOOK * 5, files.changed()).await.is_err());
            std::fs::remove_file(&link).unwrap();
            assert!(tokio::time::timeout(LOOK * 5, files.changed()).await.is_err());
            std::os::unix::fs::symlink(&other, &link).unwrap();
            files.changed().await;
        });
    }
}
