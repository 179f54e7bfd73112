//! Groups of transactions as the journal holds them, byte by byte.

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Keys and their values from now on; `None` removes.
pub(crate) type Writes = BTreeMap<Bytes, Option<Bytes>>;
/// The same, as it is read from a group.
pub(crate) type Read<'a> = BTreeMap<&'a [u8], Option<&'a [u8]>>;
/// What ties a group to the one before.
pub(crate) type Mac = [u8; MAC_BYTES];

pub(crate) const MAC_BYTES: usize = 16;
/// Length, check, sequence number, count.
pub(crate) const HEAD_BYTES: usize = 20;
/// What follows the last group: a head of zeros, which is no group's. After it there may
/// be anything.
pub(crate) const END: [u8; HEAD_BYTES] = [0; HEAD_BYTES];
/// The longest body that is read: more than a group ever has.
pub(crate) const BODY_BYTES_MAX: usize = 96 << 20;

/// The journal's own key.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("a key of 32 bytes"))
    }

    fn group(&self, before: &Mac, head: &[u8], body: &[u8]) -> Mac {
        // Without the check, which covers the MAC.
        let (length, numbers) = (&head[..4], &head[8..]);
        let mac = self.0.clone().chain_update(before).chain_update(length).chain_update(numbers).chain_update(body);
        let whole = mac.finalize().into_bytes();
        let mut half = [0; MAC_BYTES];
        half.copy_from_slice(&whole[..MAC_BYTES]);
        half
    }

    /// To be fed with a whole file.
    pub(crate) fn file(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

/// A group while it is made; its buffer is used again.
pub(crate) struct GroupWriter {
    bytes: Vec<u8>,
    count: u32,
}

impl Default for GroupWriter {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD_BYTES], count: 0 }
    }
}

impl GroupWriter {
    /// Empties it.
    pub(crate) fn begin(&mut self) {
        self.bytes.truncate(HEAD_BYTES);
        self.count = 0;
    }

    pub(crate) fn push(&mut self, writes: &Writes) {
        self.count += 1;
        self.bytes.extend_from_slice(&number(writes.len()));
        for (key, value) in writes {
            self.bytes.push(u8::from(value.is_some()));
            self.bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
            self.bytes.extend_from_slice(key);
            if let Some(value) = value {
                self.bytes.extend_from_slice(&number(value.len()));
                self.bytes.extend_from_slice(value);
            }
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The transactions of a group that was finished.
    pub(crate) fn each<'a>(&'a self, first: u64, each: impl FnMut(u64, Read<'a>)) -> Result<(), Broken> {
        let body = HEAD_BYTES..self.bytes.len() - MAC_BYTES - END.len();
        transactions(&self.bytes[body], first, self.count, each)
    }

    /// The bytes of the group, whose first transaction has this number, and of the end
    /// after it; and its MAC.
    pub(crate) fn finish(&mut self, key: &MacKey, first: u64, before: &Mac) -> (&[u8], Mac) {
        let body = self.bytes.len() - HEAD_BYTES;
        self.bytes[0..4].copy_from_slice(&number(body));
        self.bytes[8..16].copy_from_slice(&first.to_le_bytes());
        self.bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        let (head, body) = self.bytes.split_at(HEAD_BYTES);
        let mac = key.group(before, head, body);
        self.bytes.extend_from_slice(&mac);
        // Over the MAC as well: one that was torn is not one that was forged.
        let check = crc32fast::hash(&self.bytes[8..]);
        self.bytes[4..8].copy_from_slice(&check.to_le_bytes());
        self.bytes.extend_from_slice(&END);
        (&self.bytes, mac)
    }
}

/// Lengths are bounded far below 4 GiB before they come here.
fn number(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// A group that was read, and whose check fits.
pub(crate) struct Group<'a> {
    pub(crate) first: u64,
    pub(crate) count: u32,
    head: &'a [u8],
    body: &'a [u8],
    mac: Mac,
}

/// Why bytes are no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

impl<'a> Group<'a> {
    /// The group at the beginning of these bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut reader = Reader(bytes);
        let head = reader.take(HEAD_BYTES)?;
        let mut numbers = Reader(head);
        let length = numbers.u32()? as usize;
        let (check, first, count) = (numbers.u32()?, numbers.u64()?, numbers.u32()?);
        if length > BODY_BYTES_MAX || count == 0 {
            return Err(Broken("its head is no group's"));
        }
        let body = reader.take(length)?;
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(reader.take(MAC_BYTES)?);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&head[8..]);
        hasher.update(body);
        hasher.update(&mac);
        if hasher.finalize() != check {
            return Err(Broken("its check does not fit"));
        }
        Ok(Self { first, count, head, body, mac })
    }

    /// Whether these bytes may begin with a group of about this number: cheap, and
    /// wrong only by saying yes.
    pub(crate) fn is_plausible(bytes: &[u8], from: u64) -> bool {
        // Asked for every byte of a file: what most often says no comes first.
        let is_near = |first: u64| first.wrapping_sub(from) < 1 << 32;
        let first = bytes.get(8..16).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        if !first.is_some_and(is_near) {
            return false;
        }
        let mut numbers = Reader(bytes);
        let (Ok(length), Ok(_), Ok(_), Ok(count)) = (numbers.u32(), numbers.u32(), numbers.u64(), numbers.u32()) else {
            return false;
        };
        let length = length as usize;
        length.saturating_add(HEAD_BYTES + MAC_BYTES) <= bytes.len() && count > 0 && count as usize <= length
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> usize {
        HEAD_BYTES + self.body.len() + MAC_BYTES
    }

    /// Its MAC, if it fits what came before.
    pub(crate) fn verify(&self, key: &MacKey, before: &Mac) -> Option<Mac> {
        (key.group(before, self.head, self.body) == self.mac).then_some(self.mac)
    }

    /// The sequence number of its last transaction.
    pub(crate) fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count)) - 1
    }

    /// Hands out its transactions in order.
    pub(crate) fn each(&self, each: impl FnMut(u64, Read<'a>)) -> Result<(), Broken> {
        transactions(self.body, self.first, self.count, each)
    }
}

/// Hands out the transactions of a group's body in order.
fn transactions<'a>(body: &'a [u8], first: u64, count: u32, mut each: impl FnMut(u64, Read<'a>)) -> Result<(), Broken> {
    let mut reader = Reader(body);
    for number in 0..count {
        let mut writes = Read::new();
        for _ in 0..reader.u32()? {
            let puts = reader.take(1)?[0];
            let length = usize::from(reader.u16()?);
            let key = reader.take(length)?;
            let value = match puts {
                0 => None,
                1 => {
                    let length = reader.u32()? as usize;
                    Some(reader.take(length)?)
                }
                _ => return Err(Broken("a write is neither put nor remove")),
            };
            writes.insert(key, value);
        }
        each(first + u64::from(number), writes);
    }
    if reader.0.is_empty() { Ok(()) } else { Err(Broken("there are bytes after its transactions")) }
}

/// Takes bytes off the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Broken("it ends too soon"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Broken> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Broken> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Broken> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;

    fn writes(number: u8) -> Writes {
        let put = (Bytes::from(vec![number, 1]), Some(Bytes::from(vec![number; usize::from(number)])));
        Writes::from([put, (Bytes::from(vec![number, 2]), None)])
    }

    #[test]
    fn groups_read_back_and_every_flip_is_found() {
        let (key, before) = (MacKey::new(&[7; 32]), [3; MAC_BYTES]);
        let mut writer = GroupWriter::default();
        for number in 0..3 {
            writer.push(&writes(number));
        }
        let (bytes, mac) = writer.finish(&key, 41, &before);
        let bytes = bytes.to_vec();
        let group = Group::parse(&bytes).unwrap();
        assert_eq!((group.first, group.last(), group.bytes()), (41, 43, bytes.len() - END.len()));
        assert_eq!(group.verify(&key, &before), Some(mac));
        assert_eq!(group.verify(&key, &[4; MAC_BYTES]), None);
        let mut seen = Vec::new();
        let owned = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
        let each = |number, writes: BTreeMap<&[u8], Option<&[u8]>>| {
            seen.push((number, writes.into_iter().map(|(key, value)| (owned(key), value.map(owned))).collect()));
        };
        group.each(each).unwrap();
        assert_eq!(seen, [(41, writes(0)), (42, writes(1)), (43, writes(2))]);
        assert!(bytes.ends_with(&END));
        for at in 0..bytes.len() - END.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let found = Group::parse(&changed).is_ok_and(|group| group.verify(&key, &before).is_some());
            assert!(!found, "byte {at}");
            assert!(Group::parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn nonsense_never_panics() {
        let mut state = 1_u64;
        for length in 0..2_000 {
            let bytes: Vec<u8> = (0..length % 97)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    state.to_be_bytes()[0] & if length % 2 == 0 { 0xff } else { 3 }
                })
                .collect();
            let _ = Group::is_plausible(&bytes, 0);
            if let Ok(group) = Group::parse(&bytes) {
                let _ = group.each(|_, _| {});
            }
        }
    }
}
