//! The two versions of the site, as artifacts.

use anyhow::Result;

pub struct Version {
    pub page: &'static str,
    pub style: &'static str,
}

pub const V1: Version =
    Version { page: "<h1>The shop</h1>\n<p>Version 1. Status: healthy.</p>\n", style: "body { font-family: serif }\n" };

pub const V2: Version = Version {
    page: "<h1>The shop</h1>\n<p>Version 2. Error: no connection to the database.</p>\n",
    style: "body { font-family: sans-serif }\n",
};

impl Version {
    /// A tar.gz, the same bytes each time: its digest is part of the release.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default()));
        for (name, content) in [("index.html", self.page), ("style.css", self.style)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append_data(&mut header, name, content.as_bytes())?;
        }
        Ok(archive.into_inner()?.finish()?)
    }
}
