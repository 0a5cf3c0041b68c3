//! The file itself: written record by record, given another name when it has grown too large.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracetailor_core::time::{LogTime, Utc};

use super::Rotation;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An open file, and what stands in it so far.
pub(super) struct Output {
    path: PathBuf,
    file: fs::File,
    size: u64,
    rotation: Option<Rotation>,
}

/// Permissions as they are written: `0755`.
pub(super) fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|mode| *mode <= 0o7777)
}

pub(super) fn make_directory(directory: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(directory)
}

impl Output {
    /// Opens it. What stands in it stays where that was asked for, or where rotation sees to its size.
    pub(super) fn open(path: &Path, append: bool, rotation: Option<Rotation>) -> io::Result<Self> {
        let stays = append || rotation.is_some();
        let file = begin(path, stays)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, rotation })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record, all of it or nothing.
    pub(super) fn write(&mut self, record: &[u8], now: LogTime) -> io::Result<()> {
        let length = record.len() as u64;
        if self.most().is_some_and(|most| self.size > 0 && self.size + length > most) {
            self.rotate(now)?;
        }
        match self.file.write_all(record) {
            Ok(()) => {
                self.size += length;
                Ok(())
            }
            Err(error) => {
                // Half a record would spoil the next one. A pipe cannot be cut, and need not be.
                let _cut = self.file.set_len(self.size);
                Err(error)
            }
        }
    }

    fn most(&self) -> Option<u64> {
        self.rotation.as_ref().map(|rotation| u64::from(rotation.max_megabytes.max(1)) << 20)
    }

    /// Gives the file the name of the moment, begins another, and removes what is too old or too much.
    fn rotate(&mut self, now: LogTime) -> io::Result<()> {
        let mut moment = now;
        while self.named(moment).exists() {
            // Names have milliseconds; a former file is never written over.
            moment = moment + Duration::from_millis(1);
        }
        fs::rename(&self.path, self.named(moment))?;
        self.file = begin(&self.path, false)?;
        self.size = 0;
        self.tidy(now);
        Ok(())
    }

    /// `telemetry-2026-11-21T14-48-00.000.json` for `telemetry.json`.
    fn named(&self, moment: LogTime) -> PathBuf {
        let Utc { year, month, day, hour, minute, second, nanos } = Utc::from(moment);
        let millis = nanos / 1_000_000;
        let moment = format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}");
        let (before, behind) = self.around();
        self.path.with_file_name(format!("{before}{moment}{behind}"))
    }

    /// What stands around the moment in the name of a former file.
    fn around(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
        let (stem, extension) = (text(self.path.file_stem()), text(self.path.extension()));
        (format!("{stem}-"), if extension.is_empty() { String::new() } else { format!(".{extension}") })
    }

    /// What cannot be removed now is removed the next time.
    fn tidy(&self, now: LogTime) {
        let Some(rotation) = &self.rotation else { return };
        let mut former = self.former();
        // Names order as moments do.
        former.sort_unstable_by(|a, b| b.cmp(a));
        let oldest = self.named(now - DAY * rotation.max_days);
        let is_old = |path: &PathBuf| rotation.max_days > 0 && *path < oldest;
        let most = if rotation.max_backups == 0 { usize::MAX } else { rotation.max_backups as usize };
        let unwanted = former.iter().enumerate().filter(|(number, path)| *number >= most || is_old(path));
        for (_, path) in unwanted {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove a former file");
            }
        }
    }

    fn former(&self) -> Vec<PathBuf> {
        let (before, behind) = self.around();
        let length = before.len() + "2026-11-21T14-48-00.000".len() + behind.len();
        let is_former = |name: &str| name.len() == length && name.starts_with(&before) && name.ends_with(&behind);
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_str().is_some_and(is_former)).map(|name| self.path.with_file_name(name)).collect()
    }
}

fn begin(path: &Path, stays: bool) -> io::Result<fs::File> {
    if !stays {
        // With `append` alone nothing is cut off, and a file that is opened to be cut cannot be opened to be appended to.
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
