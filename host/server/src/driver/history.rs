//! What happened to each deployment, as people read it. The newest rows are in memory, and can be read together with the
//! commit that they came with; all others are in the index, in pages.
//!
//! A page is written once: when its deployment has ended, when it is full, and with each snapshot. What no page has is told
//! again by the next start.

use std::iter;
use std::sync::Arc;

use imbl::OrdMap;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::state::State;
use lockgate_store::{Direction, Entry, PageQuery, Store, StoreError};

use super::inbox::View;
use super::narrate::HistoryRow;

/// Pages: number of the deployment, sequence of the page's first row and of its last, to its rows.
pub const HISTORY: &str = "history";

const ROWS_PER_PAGE: usize = 64;
/// A plugin's words may be long: not many of those stay in memory.
const LONG_PAGE_BYTES: usize = 64 << 10;
/// What one answer asks for is seldom more.
const PAGES_PER_READ: usize = 4;

/// A row, by the sequence of its event.
pub type Row = (u64, Arc<HistoryRow>);

/// The rows that the index does not have yet. Copies share structure.
#[derive(Clone, Default)]
pub struct Newest(OrdMap<DeploymentNumber, Arc<Rows>>);

#[derive(Clone)]
struct Rows {
    /// The index has everything up to here.
    indexed: u64,
    /// What goes to the index next is behind this.
    handed_over: u64,
    rows: Vec<Row>,
}

/// What leaves memory once the index has it: rows of a deployment, up to a sequence.
pub type Paged = (DeploymentNumber, u64);

impl Newest {
    pub fn add(&mut self, number: DeploymentNumber, sequence: u64, row: HistoryRow) {
        let before = sequence - 1;
        let rows = self.0.entry(number).or_insert_with(|| Arc::new(Rows::behind_what_is_indexed(before)));
        Arc::make_mut(rows).rows.push((sequence, Arc::new(row)));
    }

    /// The next page of a deployment, if nothing more comes to it: it is full, or the deployment is over.
    pub fn take_page(&mut self, state: &State, number: DeploymentNumber) -> Option<(Entry, Paged)> {
        let unpaged = self.0.get(&number)?.unpaged();
        let is_over = || state.deployments.get(&number).is_none_or(|deployment| deployment.is_finished());
        let bytes = || unpaged.iter().map(|(_, row)| row.text.len()).sum::<usize>();
        let is_whole = unpaged.len() >= ROWS_PER_PAGE || is_over() || bytes() >= LONG_PAGE_BYTES;
        if is_whole { self.take(number) } else { None }
    }

    /// All that no page has yet.
    pub fn rest(&mut self) -> Vec<(Entry, Paged)> {
        let numbers: Vec<DeploymentNumber> = self.0.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.take(number)).collect()
    }

    fn take(&mut self, number: DeploymentNumber) -> Option<(Entry, Paged)> {
        let rows = self.0.get(&number)?;
        let unpaged = rows.unpaged();
        let (first, last) = (unpaged.first()?.0, unpaged.last()?.0);
        let value = serde_json::to_vec(unpaged).expect("rows are plain data");
        let page = Entry { table: HISTORY, key: page_key(number, first, last), value: Some(value) };
        let handed_over = Arc::new(Rows { handed_over: last, ..Rows::clone(rows) });
        self.0.insert(number, handed_over);
        Some((page, (number, last)))
    }

    /// The index has these.
    pub fn forget(&mut self, (number, through): Paged) {
        let Some(rows) = self.0.get(&number) else { return };
        let left: Vec<Row> = rows.rows.iter().filter(|(sequence, _)| *sequence > through).cloned().collect();
        if left.is_empty() {
            self.0.remove(&number);
        } else {
            let handed_over = rows.handed_over.max(through);
            self.0.insert(number, Arc::new(Rows { indexed: through, handed_over, rows: left }));
        }
    }

    /// The last of a deployment's rows that are here.
    fn last(&self, number: DeploymentNumber) -> Option<u64> {
        self.0.get(&number)?.rows.last().map(|(sequence, _)| *sequence)
    }

    /// The rows behind a sequence, if all of them are here.
    fn behind(&self, number: DeploymentNumber, after: u64, limit: usize) -> Option<Vec<Row>> {
        let rows = self.0.get(&number).filter(|rows| rows.indexed <= after)?;
        Some(rows.behind(after).take(limit).cloned().collect())
    }

    /// The rows behind a sequence, wherever they are; blocks on the disk.
    pub fn read(
        &self,
        store: &Store,
        (project, number): (&Name, DeploymentNumber),
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, HistoryError> {
        if let Some(rows) = self.behind(number, after, limit) {
            return Ok(rows);
        }
        let mut read = paged(store, project, number, after, limit)?;
        // None is missing between the two: a row leaves memory when the index has it.
        let last = read.last().map_or(after, |(sequence, _)| *sequence);
        let newest = self.0.get(&number).into_iter().flat_map(|rows| rows.behind(last));
        read.extend(newest.take(limit - read.len()).cloned());
        Ok(read)
    }
}

impl View {
    /// The rows of a deployment behind a sequence. What is in memory is not looked for on the disk.
    pub async fn history(
        self: &Arc<Self>,
        store: &Store,
        number: DeploymentNumber,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, HistoryError> {
        if let Some(rows) = self.newest.behind(number, after, limit) {
            return Ok(rows);
        }
        let view = self.clone();
        store.read(move |store| view.newest.read(store, (&view.state.project.name, number), after, limit)).await
    }

    /// The last row of a deployment that the index may not have yet.
    pub fn last_told(&self, number: DeploymentNumber) -> Option<u64> {
        self.newest.last(number)
    }
}

impl Rows {
    fn behind_what_is_indexed(indexed: u64) -> Self {
        Self { indexed, handed_over: indexed, rows: Vec::new() }
    }

    /// What no page has yet.
    fn unpaged(&self) -> &[Row] {
        let from = self.rows.partition_point(|(sequence, _)| *sequence <= self.handed_over);
        &self.rows[from..]
    }

    fn behind(&self, after: u64) -> impl Iterator<Item = &Row> {
        self.rows[self.rows.partition_point(|(sequence, _)| *sequence <= after)..].iter()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the history of deployment {number} cannot be read: {error}")]
    Unreadable { number: DeploymentNumber, error: serde_json::Error },
}

/// Rows in parts that are pages.
pub fn in_pages(mut rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |(_, row): &&Row| {
            let fits = bytes < LONG_PAGE_BYTES;
            bytes += row.text.len();
            fits
        };
        let whole = rows.iter().take(ROWS_PER_PAGE).take_while(fits).count();
        rows.split_off(..whole).filter(|page| !page.is_empty())
    })
}

/// The keys of all pages that the index has of a deployment.
pub fn page_keys(store: &Store, project: &Name, number: DeploymentNumber) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    loop {
        let found = pages(store, project, number, keys.last().map(Vec::as_slice), ROWS_PER_PAGE, Direction::Ascending)?;
        if found.is_empty() {
            return Ok(keys);
        }
        keys.extend(found.into_iter().map(|(key, _)| key));
    }
}

/// The sequence of the last row that the index has; zero if it has none.
pub fn paged_through(store: &Store, project: &Name, number: DeploymentNumber) -> Result<u64, StoreError> {
    let last = pages(store, project, number, None, 1, Direction::Descending)?;
    let last = last.first().and_then(|(key, _)| key.last_chunk());
    Ok(last.map_or(0, |last| u64::from_be_bytes(*last)))
}

/// The rows behind a sequence that the index has.
fn paged(
    store: &Store,
    project: &Name,
    number: DeploymentNumber,
    after: u64,
    limit: usize,
) -> Result<Vec<Row>, HistoryError> {
    let mut read = Vec::new();
    // The last page that begins at `after` or before it is the first that can have what follows.
    let behind = page_key(number, after.saturating_add(1), 0);
    let mut found = pages(store, project, number, Some(&behind), 1, Direction::Descending)?;
    let mut last_key = None;
    loop {
        for (key, value) in found {
            let rows: Vec<Row> =
                serde_json::from_slice(&value).map_err(|error| HistoryError::Unreadable { number, error })?;
            read.extend(rows.into_iter().filter(|(sequence, _)| *sequence > after));
            last_key = Some(key);
        }
        if read.len() >= limit {
            read.truncate(limit);
            return Ok(read);
        }
        found = pages(store, project, number, last_key.as_deref(), PAGES_PER_READ, Direction::Ascending)?;
        if found.is_empty() {
            return Ok(read);
        }
    }
}

fn pages(
    store: &Store,
    project: &Name,
    number: DeploymentNumber,
    after: Option<&[u8]>,
    limit: usize,
    direction: Direction,
) -> Result<Vec<lockgate_store::Row>, StoreError> {
    let (stream, prefix) = (project.as_str(), &number.to_be_bytes());
    store.page(&PageQuery { stream, table: HISTORY, prefix, after, limit, direction })
}

fn page_key(number: DeploymentNumber, first: u64, last: u64) -> Vec<u8> {
    [number.to_be_bytes(), first.to_be_bytes(), last.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use lockgate_store::{IndexBatch, SnapshotChange, StoreOptions};
    use serde_json::Value;

    use super::super::tests::id;
    use super::super::tests::written::deploying;
    use super::*;

    fn row(text: &str) -> HistoryRow {
        HistoryRow {
            at: "2026-11-22T12:00:00Z".to_owned(),
            event_type: "held".to_owned(),
            text: text.to_owned(),
            status: None,
            details: Value::Null,
        }
    }

    impl View {
        /// Deployment 1 is under way, and nothing is told of it.
        pub fn of_a_deployment() -> Self {
            Self { state: deploying().state, newest: Newest::default(), sequence: 1 }
        }

        /// One more row of deployment 1, which itself is as it was.
        pub fn telling(&self, sequence: u64) -> Self {
            let mut newest = self.newest.clone();
            newest.add(1, sequence, row("waits"));
            Self { state: self.state.clone(), newest, sequence }
        }
    }

    async fn index(store: &Store, page: Entry) {
        let (stream, snapshot) = ("shop".to_owned(), SnapshotChange::Keep);
        store.index(IndexBatch { stream, through: 1, snapshot, entries: vec![page] }).await.unwrap();
    }

    fn sequences(rows: &[Row]) -> Vec<u64> {
        rows.iter().map(|(sequence, _)| *sequence).collect()
    }

    #[tokio::test]
    async fn rows_are_read_in_order_wherever_they_are() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), StoreOptions::default()).unwrap().0;
        let shop: Name = "shop".parse().unwrap();
        let (mut newest, mut all, mut paged) = (Newest::default(), Vec::new(), Vec::new());
        for sequence in (10..900).step_by(3) {
            for number in [1, 2] {
                newest.add(number, sequence + number, row("waits"));
            }
            all.push(sequence + 1);
            let (waiting, over) = (deploying().state, State::new(id("shop")));
            let Some((page, leaves)) = newest.take_page(if sequence % 100 == 10 { &over } else { &waiting }, 1) else {
                continue;
            };
            index(&store, page).await;
            paged.push(leaves);
            // The news of the page before comes now.
            if let [.., before, _] = paged.as_slice() {
                newest.forget(*before);
            }
        }
        assert!(paged.len() > 5 && newest.behind(1, 0, 1).is_none() && newest.behind(1, 880, 1).is_some());
        for after in 0..910 {
            for limit in [1, 63, 64, 65, 999] {
                let expected: Vec<u64> = all.iter().copied().filter(|at| *at > after).take(limit).collect();
                let read = newest.read(&store, (&shop, 1), after, limit).unwrap();
                assert_eq!(sequences(&read), expected, "behind {after}, at most {limit}");
            }
        }
        let through = paged.last().unwrap().1;
        assert_eq!(paged_through(&store, &shop, 1).unwrap(), through);
        newest.forget((1, through));
        let left: Vec<u64> = all.into_iter().filter(|at| *at > through).collect();
        assert_eq!(sequences(&newest.behind(1, through, 999).unwrap()), left);
        assert_eq!(paged_through(&store, &shop, 4).unwrap(), 0);
    }

    #[test]
    fn a_page_is_for_the_index_when_it_is_full_or_long_or_nothing_more_comes() {
        let (waiting, over) = (deploying().state, State::new(id("shop")));
        let mut newest = Newest::default();
        for sequence in 1..64 {
            newest.add(1, sequence, row("waits"));
            assert!(newest.take_page(&waiting, 1).is_none());
        }
        newest.add(1, 64, row("waits"));
        assert_eq!(newest.take_page(&waiting, 1).unwrap().1, (1, 64));
        assert!(newest.take_page(&over, 1).is_none(), "nothing is there twice");
        newest.add(1, 65, row(&"x".repeat(LONG_PAGE_BYTES)));
        assert_eq!(newest.take_page(&waiting, 1).unwrap().1, (1, 65));
        newest.add(1, 66, row("succeeded"));
        assert!(newest.take_page(&waiting, 1).is_none());
        assert_eq!(newest.take_page(&over, 1).unwrap().1, (1, 66));
        newest.add(8, 67, row("waits"));
        newest.add(9, 68, row("waits"));
        assert_eq!(newest.rest().into_iter().map(|(_, page)| page).collect::<Vec<_>>(), [(8, 67), (9, 68)]);
        assert!(newest.rest().is_empty());
        newest.forget((9, 67));
        assert!(newest.behind(9, 67, 9).is_some(), "of what is behind it nothing goes");
        newest.forget((9, 68));
        assert!(newest.behind(9, 67, 9).is_none());
    }
}
