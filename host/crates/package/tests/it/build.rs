//! Zips made byte by byte, with anything in them.

/// A file's records, each field as it will stand there.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) unpacked: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) descriptor: Vec<u8>,
    /// Upper half of the external attributes.
    pub(crate) mode: u16,
    /// Its local header's bytes are not written: it points to those before it.
    pub(crate) is_elsewhere: Option<u32>,
}

/// A stored file.
pub(crate) fn file(name: &str, content: &[u8]) -> Made {
    Made {
        name: name.as_bytes().to_vec(),
        flags: 0,
        method: 0,
        crc: crc32fast::hash(content),
        packed: content.len() as u32,
        unpacked: content.len() as u32,
        extra: Vec::new(),
        data: content.to_vec(),
        descriptor: Vec::new(),
        mode: 0o100_644,
        is_elsewhere: None,
    }
}

/// A file that is `what` the closure makes of a plain one.
pub(crate) fn changed(change: impl FnOnce(&mut Made)) -> Made {
    let mut made = file("a", b"content");
    change(&mut made);
    made
}

fn shorts(to: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}

fn longs(to: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| to.extend(value.to_le_bytes()));
}

impl Made {
    pub(crate) fn local(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        shorts(&mut bytes, &[20, self.flags, self.method, 0, 33]);
        longs(&mut bytes, &[self.crc, self.packed, self.unpacked]);
        shorts(&mut bytes, &[self.name.len() as u16, self.extra.len() as u16]);
        [bytes.as_slice(), &self.name, &self.extra, &self.data, &self.descriptor].concat()
    }

    pub(crate) fn central(&self, offset: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        shorts(&mut bytes, &[3 << 8 | 20, 20, self.flags, self.method, 0, 33]);
        longs(&mut bytes, &[self.crc, self.packed, self.unpacked]);
        shorts(&mut bytes, &[self.name.len() as u16, self.extra.len() as u16, 0, 0, 0]);
        longs(&mut bytes, &[u32::from(self.mode) << 16, offset]);
        [bytes.as_slice(), &self.name, &self.extra].concat()
    }
}

/// The two sides of a zip, to be put together with an end record.
#[derive(Clone, Default)]
pub(crate) struct Zip {
    pub(crate) locals: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    pub(crate) entries: u16,
}

impl Zip {
    pub(crate) fn of(files: &[Made]) -> Self {
        Self::apart(&files.iter().map(|file| (file.clone(), file.clone())).collect::<Vec<_>>())
    }

    /// Files whose local header is of the first, and whose central one of the second.
    pub(crate) fn apart(files: &[(Made, Made)]) -> Self {
        let mut zip = Self::default();
        for (local, central) in files {
            let offset = central.is_elsewhere.unwrap_or(zip.locals.len() as u32);
            if central.is_elsewhere.is_none() {
                zip.locals.extend(local.local());
            }
            zip.directory.extend(central.central(offset));
            zip.entries += 1;
        }
        zip
    }

    /// An end record of these numbers.
    pub(crate) fn end(entries: u16, bytes: u32, start: u32, comment: &[u8]) -> Vec<u8> {
        let mut end = b"PK\x05\x06".to_vec();
        shorts(&mut end, &[0, 0, entries, entries]);
        longs(&mut end, &[bytes, start]);
        shorts(&mut end, &[comment.len() as u16]);
        [end.as_slice(), comment].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.with_comment(b"")
    }

    pub(crate) fn with_comment(&self, comment: &[u8]) -> Vec<u8> {
        let end = Self::end(self.entries, self.directory.len() as u32, self.locals.len() as u32, comment);
        [self.locals.as_slice(), &self.directory, &end].concat()
    }
}

/// A zip of these files.
pub(crate) fn zip(files: &[Made]) -> Vec<u8> {
    Zip::of(files).bytes()
}

/// Deflated content.
pub(crate) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(content.len() + 100);
    let mut stream = flate2::Compress::new(flate2::Compression::best(), false);
    stream.compress_vec(content, &mut data, flate2::FlushCompress::Finish).unwrap();
    data
}

/// An extra field.
pub(crate) fn extra(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    shorts(&mut bytes, &[kind, body.len() as u16]);
    [bytes.as_slice(), body].concat()
}

/// A data descriptor with its signature.
pub(crate) fn descriptor(crc: u32, packed: u32, unpacked: u32) -> Vec<u8> {
    let mut bytes = b"PK\x07\x08".to_vec();
    longs(&mut bytes, &[crc, packed, unpacked]);
    bytes
}
