//! Credentials that lie in files: read when the gateway begins, and again when they change, because tokens are rotated.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use std::{fmt, fs, io};

use tracetailor_core::component::Stop;
use tracetailor_core::config::Secret;

/// How often files are looked at. Kubernetes swaps a mounted secret within a minute; nobody notices some seconds more.
const EVERY: Duration = Duration::from_secs(5);

/// A text that nobody may see, from a file. Clones are the same one.
#[derive(Clone)]
pub struct SecretFile {
    path: Arc<PathBuf>,
    text: Arc<RwLock<Secret>>,
}

impl SecretFile {
    /// Reads a file. A line end behind the text is no part of it.
    pub fn read(path: &str) -> io::Result<Self> {
        let text = read(&PathBuf::from(path))?;
        Ok(Self { path: Arc::new(path.into()), text: Arc::new(RwLock::new(text)) })
    }

    /// What it held when it was last looked at.
    pub fn get(&self) -> Secret {
        self.text.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it again if it has changed. Where it cannot be read what was there goes on being used.
    pub fn look(&self) {
        match read(&self.path) {
            Ok(text) if text != self.get() => {
                *self.text.write().unwrap_or_else(PoisonError::into_inner) = text;
                tracing::info!(path = %self.path.display(), "credentials were read again");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "credentials could not be read again; the old ones are still used")
            }
        }
    }
}

/// Looks at these files now and then until it is asked to stop.
pub async fn watch(files: Vec<SecretFile>, stop: Stop) {
    if files.is_empty() {
        return stop.asked().await;
    }
    let look = async {
        let mut round = tokio::time::interval(EVERY);
        loop {
            round.tick().await;
            files.iter().for_each(SecretFile::look);
        }
    };
    tokio::select! {
        () = look => {}
        () = stop.asked() => {}
    }
}

fn read(path: &PathBuf) -> io::Result<Secret> {
    let text = fs::read_to_string(path)?;
    Ok(Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretFile({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::SecretFile;

    #[test]
    fn a_file_that_changes_is_read_again_and_one_that_is_gone_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let file = SecretFile::read(path.to_str().unwrap()).unwrap();
        assert!(file.get().is("first"));
        std::fs::write(&path, "second").unwrap();
        file.look();
        assert!(file.get().is("second"));
        std::fs::remove_file(&path).unwrap();
        file.look();
        assert!(file.get().is("second"));
        assert!(SecretFile::read(path.to_str().unwrap()).is_err());
        assert!(!format!("{file:?}").contains("second"));
    }
}
