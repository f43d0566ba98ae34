//! sled itself. Its names stop here, and so do its panics.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::iter;
use std::mem;
use std::ops::Bound;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use sled::IVec;

use super::packed;
use super::rows::{FORMAT_KEY, MARK, Mark, Part, TALLIES_KEY, Value, Writes, stream_key};
use super::tally::{Tallies, Tally};
use super::{Direction, Header, PageQuery, Row, wait_until_released};
use crate::error::{io_problem, is_want_of_room};
use crate::{StoreError, folder};

const PANICKED: &str = "sled panicked";

#[derive(Clone)]
pub struct Sled {
    dir: PathBuf,
    /// Taken for writing while a batch is applied, so that a reader of several keys
    /// sees all of it or nothing: sled keeps that promise for one key only. And while
    /// sled is opened again: then nobody may have anything of the one before.
    opened: Arc<RwLock<Opened>>,
    /// What was first found broken, by whoever read it.
    broken: Arc<OnceLock<String>>,
}

/// Or what everybody is told since it could not be opened again.
type Opened = Result<Db, StoreError>;

struct Db {
    db: sled::Db,
    /// Where its log ended when it was opened: up to there, the next start knows where the pages lie.
    noted: i64,
}

/// sled while nobody writes to it, and while it stays open. Whoever has one and asks for another, or writes, may wait for
/// himself.
pub struct View<'a> {
    sled: &'a Sled,
    opened: RwLockReadGuard<'a, Opened>,
}

impl Sled {
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let db = Db::open(dir).map_err(|problem| match problem {
            Problem::NoRoom(problem) => held_up("open", problem),
            // Damage may look like a fault of the disk, too.
            Problem::Io(problem) | Problem::Broken(problem) => StoreError::Index { attempt: "open", problem },
        })?;
        Ok(Self { dir: dir.to_owned(), opened: Arc::new(RwLock::new(Ok(db))), broken: Arc::default() })
    }

    pub fn create(dir: &Path, header: &Header) -> Result<Self, StoreError> {
        folder::create(dir)?;
        let sled = Self::open(dir)?;
        let rows = [(FORMAT_KEY, header.encode()), (TALLIES_KEY, Tallies::default().encode())];
        sled.write(rows.map(|(key, stored)| (key.to_vec(), Some(stored))).into())?;
        sled.flush()?;
        Ok(sled)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn view(&self) -> View<'_> {
        View { sled: self, opened: self.opened.read().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Runs something on sled. What says that its files are broken is noted in the
    /// folder, so that the next start begins anew instead of failing in the same way.
    fn guard<T>(
        &self,
        opened: &Opened,
        attempt: &'static str,
        run: impl FnOnce(&sled::Db) -> Result<T, sled::Error>,
    ) -> Result<T, StoreError> {
        let Db { db, .. } = opened.as_ref().map_err(StoreError::clone)?;
        match panic::catch_unwind(AssertUnwindSafe(|| run(db))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(sled::Error::Io(error))) => Err(held_up(attempt, io_problem(&error))),
            Ok(Err(error)) => Err(self.broken(attempt, error.to_string())),
            Err(_) => Err(self.broken(attempt, PANICKED.to_owned())),
        }
    }

    pub fn broken(&self, attempt: &'static str, problem: String) -> StoreError {
        let told = self.broken.get_or_init(|| format!("{attempt}: {problem}"));
        // Without the note the next start finds out for itself, or the check behind it.
        let _ = fs::write(broken_note(&self.dir), told);
        StoreError::Index { attempt, problem }
    }

    pub fn what_is_broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    pub fn compare(&self, written: Tally, counted: Tally) -> Result<(), StoreError> {
        if counted == written {
            return Ok(());
        }
        let problem = format!("of {} rows {} are left, or some are not what was written", written.rows, counted.rows);
        Err(self.broken("read", problem))
    }

    // Writing.

    /// All of them or none, for sled and for whoever reads beside it.
    pub fn write(&self, writes: Writes) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, stored) in writes {
            match stored {
                Some(stored) => batch.insert(key, stored),
                None => batch.remove(key),
            }
        }
        let alone = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        self.guard(&alone, "write to", |db| db.apply_batch(batch))
    }

    /// sled's own flush does not reach the disk, only its cache.
    pub fn flush(&self) -> Result<(), StoreError> {
        let synced = |db: &sled::Db| -> Result<(), sled::Error> {
            db.flush()?;
            Ok(File::open(self.dir.join("db")).and_then(|file| file.sync_data())?)
        };
        self.guard(&self.view().opened, "flush", synced)
    }

    // Opening again.

    /// How much of sled's log the next start has to read to know where the pages lie.
    pub fn unnoted_bytes(&self) -> u64 {
        match &*self.view().opened {
            Ok(db) => u64::try_from(db.log_end().saturating_sub(db.noted)).unwrap_or(0),
            Err(_) => 0,
        }
    }

    /// sled 0.34 notes where its pages lie only when it opens. Whoever reads waits meanwhile, and if it fails he is told
    /// what everybody is told who comes later. Of what was flushed before, nothing is left to write while they wait.
    pub fn reopen(&self, written: &[Tallies]) -> Result<(), StoreError> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *opened, Err(StoreError::Stopping { what: "the index" }));
        let closed = before.map_or(Ok(()), Db::close);
        *opened = closed.and_then(|()| Db::open_again(&self.dir)?.expect(written)).map_err(|problem| match problem {
            Problem::Broken(problem) => self.broken("open again", problem),
            // Want of room, or of file handles: what is there is whole.
            Problem::NoRoom(problem) | Problem::Io(problem) => held_up("open again", problem),
        });
        opened.as_ref().map(|_| ()).map_err(StoreError::clone)
    }
}

impl Db {
    fn open(dir: &Path) -> Result<Self, Problem> {
        let config = sled::Config::new().path(dir).flush_every_ms(None).cache_capacity(64 << 20);
        let mut opened = Self { db: caught(|| config.open())?, noted: 0 };
        opened.noted = opened.log_end();
        Ok(opened)
    }

    /// At once, as a rule. sled's own threads may hold the file a moment longer, and so may a process that is just being started.
    fn open_again(dir: &Path) -> Result<Self, Problem> {
        Self::open(dir).or_else(|_| {
            wait_until_released(dir);
            Self::open(dir)
        })
    }

    fn close(self) -> Result<(), Problem> {
        caught(|| {
            drop(self.db);
            Ok(())
        })
    }

    /// sled may open what is damaged or not its own, and call it whole. Every batch writes the tallies: what is there is as one
    /// of them left it.
    fn expect(self, written: &[Tallies]) -> Result<Self, Problem> {
        let found = caught(|| self.db.get(TALLIES_KEY))?.and_then(|stored| Tallies::decode(&stored));
        let is_whole = found.is_some_and(|found| written.contains(&found));
        is_whole.then_some(self).ok_or_else(|| Problem::Broken("what was written last is gone".to_owned()))
    }

    /// Of what has reached its file. Nothing that is documented says so.
    fn log_end(&self) -> i64 {
        self.db.context.pagecache.log.stable_offset()
    }
}

enum Problem {
    NoRoom(String),
    Io(String),
    Broken(String),
}

fn held_up(attempt: &'static str, problem: String) -> StoreError {
    StoreError::IndexHeldUp { attempt, problem }
}

fn caught<T>(run: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, Problem> {
    match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if is_want_of_room(&error) => Err(Problem::NoRoom(io_problem(&error))),
        Ok(Err(sled::Error::Io(error))) => Err(Problem::Io(io_problem(&error))),
        Ok(Err(error)) => Err(Problem::Broken(error.to_string())),
        Err(_) => Err(Problem::Broken(PANICKED.to_owned())),
    }
}

impl View<'_> {
    fn guard<T>(
        &self,
        attempt: &'static str,
        run: impl FnOnce(&sled::Db) -> Result<T, sled::Error>,
    ) -> Result<T, StoreError> {
        self.sled.guard(&self.opened, attempt, run)
    }

    fn unreadable(&self, what: &str) -> StoreError {
        self.sled.broken("read", format!("{what} is not what was written"))
    }

    // All of it, when it is opened.

    pub fn header(&self) -> Result<Option<Header>, StoreError> {
        Ok(self.get(FORMAT_KEY)?.as_deref().and_then(Header::decode))
    }

    /// Reads what a start relies on, so that what is broken shows before anything is served.
    pub fn check_start(&self) -> Result<(), StoreError> {
        let mut counted = Tally::default();
        for row in self.rows(Part::Start, &[])? {
            let (key, stored) = row?;
            counted.add(Tally::of(&key, &stored));
            if key.first() != Some(&MARK) {
                self.resolve(&key, &stored)?;
            }
        }
        self.sled.compare(self.tallies()?.start, counted)
    }

    /// The rows of a part behind a key, each read when it is asked for.
    pub fn rows(
        &self,
        part: Part,
        after: &[u8],
    ) -> Result<impl Iterator<Item = Result<(IVec, IVec), StoreError>> + use<'_>, StoreError> {
        let keys = part.keys();
        let start = if after < keys.start { Bound::Included(keys.start) } else { Bound::Excluded(after) };
        let mut rows = self.guard("read", |db| Ok(db.range::<&[u8], _>((start, Bound::Excluded(keys.end)))))?;
        Ok(iter::from_fn(move || self.guard("read", |_| rows.next().transpose()).transpose()))
    }

    // One thing of it.

    pub fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.guard("read", |db| db.get(key))
    }

    pub fn tallies(&self) -> Result<Tallies, StoreError> {
        self.get(TALLIES_KEY)?.and_then(|bytes| Tallies::decode(&bytes)).ok_or_else(|| self.unreadable("the tally"))
    }

    pub fn mark(&self, stream: &str) -> Result<Option<Mark>, StoreError> {
        let stored = self.get(&stream_key(MARK, stream))?;
        stored.map(|bytes| Mark::decode(&bytes).ok_or_else(|| self.unreadable("a stream's mark"))).transpose()
    }

    pub fn marks(&self) -> Result<BTreeMap<String, Mark>, StoreError> {
        let stored = self.guard("read", |db| db.scan_prefix([MARK]).collect::<Result<Vec<_>, _>>())?;
        let decode =
            |(key, mark): &(IVec, IVec)| Some((String::from_utf8(key.get(2..)?.to_vec()).ok()?, Mark::decode(mark)?));
        stored.iter().map(|row| decode(row).ok_or_else(|| self.unreadable("a stream's mark"))).collect()
    }

    pub fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key)?.map(|stored| self.resolve(key, &stored)).transpose()
    }

    pub fn page(&self, table: &[u8], query: &PageQuery<'_>) -> Result<Vec<Row>, StoreError> {
        let prefix = [table, query.prefix].concat();
        let after = query.after.map(|after| [table, after].concat());
        let keys = self.guard("read", |db| match query.direction {
            Direction::Ascending => {
                let start = after.as_ref().map_or(&prefix, |after| after.max(&prefix));
                let rows = db.range(start.as_slice()..);
                take_page(rows.filter(|row| !is_at(row, after.as_deref())), &prefix, query.limit)
            }
            Direction::Descending => {
                let end = behind(&prefix);
                let end = after.as_ref().map_or(&end, |after| after.min(&end));
                take_page(db.range(..end.as_slice()).rev(), &prefix, query.limit)
            }
        })?;
        let row = |(key, stored): (IVec, IVec)| Ok((key[table.len()..].to_vec(), self.resolve(&key, &stored)?));
        keys.into_iter().map(row).collect()
    }

    /// The value itself, of its chunks where it is long.
    pub fn resolve(&self, key: &[u8], stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        let joined;
        let packed = match Value::decode(stored) {
            Some(Value::Inline(packed)) => packed,
            Some(Value::Chunked(chunks)) => {
                joined = self.join(chunks.keys(key))?;
                if !chunks.is(&joined) {
                    return Err(self.unreadable("a long value"));
                }
                &joined
            }
            None => return Err(self.unreadable("a value")),
        };
        packed::unpack(packed).map_err(|problem| self.sled.broken("read", format!("a value {problem}")))
    }

    fn join(&self, chunks: impl Iterator<Item = Vec<u8>>) -> Result<Vec<u8>, StoreError> {
        let mut joined = Vec::new();
        for key in chunks {
            match self.get(&key)? {
                Some(chunk) => joined.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(joined)
    }
}

type StoredRow = Result<(IVec, IVec), sled::Error>;

fn take_page(
    rows: impl Iterator<Item = StoredRow>,
    prefix: &[u8],
    limit: usize,
) -> Result<Vec<(IVec, IVec)>, sled::Error> {
    rows.take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix))).take(limit).collect()
}

fn is_at(row: &StoredRow, key: Option<&[u8]>) -> bool {
    row.as_ref().is_ok_and(|(at, _)| Some(at.as_ref()) == key)
}

/// The first key that sorts after all keys with this prefix. Never empty: a prefix begins with a kind below 255.
fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

pub fn broken_note(dir: &Path) -> PathBuf {
    dir.join("lockgate-broken")
}
