//! Zips that are refused, and by what name.

use lamina_package::{DEPTH_MAX, ENTRIES_MAX, Fault, Listing, Package, ZipError};

use crate::build::*;

/// Reads all there is.
fn read(zip: &[u8]) -> Result<(), ZipError> {
    Package::read(zip)?.check()
}

fn check(cases: Vec<(&str, Vec<u8>, Fault)>) {
    for (what, zip, fault) in cases {
        match read(&zip) {
            Err(error) => assert_eq!(error.fault, fault, "{what}: {error}"),
            Ok(()) => panic!("{what}: it is read"),
        }
    }
}

/// A zip of one file whose headers differ.
fn apart(local: impl FnOnce(&mut Made), central: impl FnOnce(&mut Made)) -> Vec<u8> {
    Zip::apart(&[(changed(local), changed(central))]).bytes()
}

fn one(change: impl FnOnce(&mut Made)) -> Vec<u8> {
    zip(&[changed(change)])
}

fn named(name: &str) -> Vec<u8> {
    one(|file| file.name = name.as_bytes().to_vec())
}

#[test]
fn names_that_lead_elsewhere() {
    check(vec![
        ("upwards", named("../a"), Fault::Upwards),
        ("upwards inside", named("a/../../b"), Fault::Upwards),
        ("absolute", named("/etc/passwd"), Fault::Absolute),
        ("a drive", named("C:/a"), Fault::Absolute),
        ("a drive's own folder", named("c:a"), Fault::Absolute),
        ("another system's", named("..\\a"), Fault::Backslash),
        ("an empty part", named("a//b"), Fault::Dots),
        ("here", named("./a"), Fault::Dots),
        ("NUL", named("a\0.js"), Fault::Control),
        ("a line feed", named("a\n644 b"), Fault::Control),
        ("no UTF-8", one(|file| file.name = b"a\xff".to_vec()), Fault::NotUtf8),
        ("dots in too many bytes", one(|file| file.name = b"\xc0\xae\xc0\xae/a".to_vec()), Fault::NotUtf8),
        ("none", named(""), Fault::NoName),
        ("long", named(&"x/".repeat(600)), Fault::LongName),
        ("deep", named(&["d"; DEPTH_MAX + 1].join("/")), Fault::LongName),
        (
            "another name in an extra field",
            one(|file| file.extra = extra(0x7075, b"\x01\0\0\0\0../b")),
            Fault::OtherName,
        ),
    ]);
}

fn link(name: &str, target: &[u8]) -> Made {
    Made { mode: 0o120_777, ..file(name, target) }
}

/// A zip of the file `f/x` and these links.
fn linked(links: &[(&str, &str)]) -> Vec<u8> {
    let file = changed(|file| file.name = b"f/x".to_vec());
    let links = links.iter().map(|(name, target)| link(name, target.as_bytes()));
    zip(&std::iter::once(file).chain(links).collect::<Vec<_>>())
}

/// Nothing that is unpacked is a link, and nobody can tell it from a copy.
#[test]
fn a_link_within_the_package_is_a_copy() {
    let zip = linked(&[("bin/tool", "../f/x"), ("again", "./bin/../bin/tool")]);
    let package = Package::read(&zip).unwrap();
    let files = package.files();
    let names: Vec<&str> = files.iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["again", "bin/tool", "f/x"]);
    for entry in &files {
        let (content, whole) = (entry.content().unwrap(), files[2].content().unwrap());
        assert_eq!((content, entry.mode, entry.bytes), (whole, files[2].mode, files[2].bytes));
    }
    let copies = ["again", "bin/tool", "f/x"].map(|name| changed(|file| file.name = name.as_bytes().to_vec()));
    let copied = crate::build::zip(&copies);
    let listing = |zip: &[u8]| Listing::of(&Package::read(zip).unwrap()).unwrap();
    assert_eq!(listing(&zip), listing(&copied));
}

#[test]
fn what_is_no_file() {
    check(vec![
        ("a link out", zip(&[link("a", b"/../..")]), Fault::LinkOut),
        ("a link upwards", zip(&[link("a", b"../a")]), Fault::LinkOut),
        ("a link to nothing", one(|file| file.mode = 0o120_777), Fault::Link),
        ("a link to no UTF-8", zip(&[link("a", b"\xff")]), Fault::NotUtf8),
        ("a long link", zip(&[link("a", &[b'.'; 2_000])]), Fault::Link),
        ("a link to itself", linked(&[("a", "b"), ("b", "./a")]), Fault::Link),
        ("a link to a folder", linked(&[("a", "f")]), Fault::Link),
        ("a link through a folder's link", linked(&[("a", "b/x"), ("b", "f")]), Fault::Link),
        ("a signature that is a link", linked(&[("META-INF/lamina.sig", "../f/x")]), Fault::Link),
        ("a pipe", one(|file| file.mode = 0o010_644), Fault::Special),
        ("a device", one(|file| file.mode = 0o020_644), Fault::Special),
        ("a folder without its slash", one(|file| file.mode = 0o040_755), Fault::Special),
        ("a file with a slash", named("a/"), Fault::Special),
        (
            "a folder with content",
            one(|file| (file.name, file.mode) = (b"a/".to_vec(), 0o040_755)),
            Fault::FolderContent,
        ),
    ]);
}

#[test]
fn two_of_one_name() {
    let folder = |name: &str| {
        let mut folder = file(name, b"");
        folder.mode = 0o040_755;
        folder
    };
    check(vec![
        ("twice", zip(&[file("a", b"1"), file("a", b"2")]), Fault::Twice),
        ("a folder twice", zip(&[folder("a/"), folder("a/")]), Fault::Twice),
        ("a file in a file", zip(&[file("a/b", b""), file("a", b"")]), Fault::FileAndFolder),
        ("a file and a folder", zip(&[file("a", b""), folder("a/")]), Fault::FileAndFolder),
        ("a file in a file in a file", zip(&[file("a/b/c", b""), file("a/b", b"")]), Fault::FileAndFolder),
    ]);
    // Case and normal forms tell files apart, as where they are run.
    read(&zip(&[file("a", b"1"), file("A", b"2"), file("\u{e9}", b""), file("e\u{301}", b"")])).unwrap();
}

#[test]
fn headers_that_disagree() {
    let none = |_: &mut Made| {};
    check(vec![
        ("name", apart(|file| file.name = b"b".to_vec(), none), Fault::NamesDiffer),
        ("name's length", apart(|file| file.name = b"a.js".to_vec(), none), Fault::NamesDiffer),
        ("method", apart(|file| file.method = 8, none), Fault::HeadersDiffer),
        ("flags", apart(|file| file.flags = 1 << 11, none), Fault::HeadersDiffer),
        ("a descriptor on one side", apart(|file| file.flags = 1 << 3, none), Fault::HeadersDiffer),
        ("encrypted on one side", apart(|file| file.flags = 1, none), Fault::HeadersDiffer),
        ("crc", apart(|file| file.crc ^= 1, none), Fault::SizesDiffer),
        ("packed size", apart(|file| file.packed -= 1, none), Fault::SizesDiffer),
        ("unpacked size", apart(|file| file.unpacked += 1, none), Fault::SizesDiffer),
        (
            "sizes of zero without a descriptor",
            apart(|file| (file.packed, file.unpacked) = (0, 0), none),
            Fault::SizesDiffer,
        ),
    ]);
}

#[test]
fn data_descriptors() {
    let made = |descriptor: Vec<u8>, sizes: u32| {
        let central = changed(|file| file.flags = 1 << 3);
        let mut local = central.clone();
        (local.crc, local.packed, local.unpacked) = (sizes, sizes, sizes);
        local.descriptor = descriptor;
        Zip::apart(&[(local, central), (file("b", b"x"), file("b", b"x"))]).bytes()
    };
    let plain = file("a", b"content");
    let good = descriptor(plain.crc, plain.packed, plain.unpacked);
    read(&made(good.clone(), 0)).unwrap();
    read(&made(good.get(4..).unwrap().to_vec(), 0)).unwrap();
    check(vec![
        ("another crc", made(descriptor(plain.crc ^ 1, 7, 7), 0), Fault::SizesDiffer),
        ("another size", made(descriptor(plain.crc, 7, 8), 0), Fault::SizesDiffer),
        ("other sizes before", made(good.clone(), 5), Fault::SizesDiffer),
        ("none", made(Vec::new(), 0), Fault::Gap),
        ("cut", made(good.get(..15).unwrap().to_vec(), 0), Fault::Gap),
        ("zip64's", made([good.as_slice(), &[0; 8]].concat(), 0), Fault::Zip64),
        ("another signature", made([b"PK\x07\x09", good.get(4..).unwrap()].concat(), 0), Fault::Gap),
    ]);
}

#[test]
fn bytes_that_belong_to_two_or_to_none() {
    let (a, b) = (file("a", b"content"), file("b", b"more"));
    let plain = Zip::of(&[a.clone(), b.clone()]);
    let elsewhere = |offset| changed(|file| file.is_elsewhere = Some(offset));
    let mut between = plain.clone();
    between.directory = [a.central(0), b.central(a.local().len() as u32 + 1)].concat();
    between.locals = [a.local(), b"?".to_vec(), b.local()].concat();
    let mut before_directory = plain;
    before_directory.locals.push(b'?');
    // A quine of sorts: the second file's records lie in the data of the first.
    let inner = b.local();
    let outer = file("a", &inner);
    let within = Zip {
        locals: outer.local(),
        directory: [outer.central(0), b.central((outer.local().len() - inner.len()) as u32)].concat(),
        entries: 2,
    };
    let prefix = {
        let shifted =
            Zip { locals: [b"#!/bin/sh\n".as_slice(), &a.local()].concat(), directory: a.central(10), entries: 1 };
        shifted.bytes()
    };
    let mut past = a.clone();
    (past.packed, past.unpacked) = (100, 100);
    check(vec![
        ("one place for two", Zip::apart(&[(a.clone(), a.clone()), (a.clone(), elsewhere(0))]).bytes(), Fault::Overlap),
        ("one in another", within.bytes(), Fault::Overlap),
        ("between two", between.bytes(), Fault::Gap),
        ("before the directory", before_directory.bytes(), Fault::Gap),
        ("before the first", prefix, Fault::Gap),
        ("data past the directory", zip(&[past]), Fault::Overlap),
        ("a local header past the end", Zip::apart(&[(a, elsewhere(1_000))]).bytes(), Fault::Gap),
    ]);
}

#[test]
fn ends() {
    let plain = Zip::of(&[file("a", b"content")]);
    let (bytes, start) = (plain.directory.len() as u32, plain.locals.len() as u32);
    let ended = |end: Vec<u8>| [plain.locals.as_slice(), &plain.directory, &end].concat();
    let whole = plain.bytes();
    let empty = Zip::end(0, 0, 0, b"");
    // The comment of the true end holds another, which ends the file as well.
    let hidden = plain.with_comment(&Zip::end(1, bytes, start, b""));
    let parts = |at: usize| {
        let mut end = Zip::end(1, bytes, start, b"");
        end[at] = 1;
        ended(end)
    };
    let locator = [plain.locals.as_slice(), &plain.directory, b"PK\x06\x07", &[0; 16], &Zip::end(1, bytes, start, b"")];
    check(vec![
        ("nothing", Vec::new(), Fault::NoEnd),
        ("text", b"no zip".repeat(9), Fault::NoEnd),
        ("cut", whole.get(..whole.len() - 1).unwrap().to_vec(), Fault::NoEnd),
        ("bytes after it", [whole.as_slice(), b"?"].concat(), Fault::Trailing),
        ("another zip after it", [whole.as_slice(), &whole].concat(), Fault::Directory),
        ("an empty zip after it", [whole.as_slice(), &empty].concat(), Fault::Directory),
        ("another end in the comment", hidden, Fault::TwoEnds),
        (
            "an end in the comment that does not fit",
            plain.with_comment(b"PK\x05\x06 and more than twenty-two bytes"),
            Fault::TwoEnds,
        ),
        ("another disk", parts(4), Fault::Parts),
        ("the directory on another disk", parts(6), Fault::Parts),
        ("fewer entries on this disk", parts(8 + 1), Fault::Parts),
        ("more entries than there are", ended(Zip::end(2, bytes, start, b"")), Fault::Record),
        ("fewer entries than there are", ended(Zip::end(0, bytes, start, b"")), Fault::Directory),
        ("a longer directory", ended(Zip::end(1, bytes + 1, start, b"")), Fault::Directory),
        ("a shorter directory", ended(Zip::end(1, bytes - 1, start + 1, b"")), Fault::Record),
        ("a directory past the end", ended(Zip::end(1, bytes, start + 500, b"")), Fault::Directory),
        ("zip64's locator", locator.concat(), Fault::Zip64),
        ("zip64's entries", ended(Zip::end(u16::MAX, bytes, start, b"")), Fault::Zip64),
        ("zip64's directory", ended(Zip::end(1, bytes, u32::MAX, b"")), Fault::Zip64),
        ("too many entries", ended(Zip::end(ENTRIES_MAX as u16 + 1, bytes, start, b"")), Fault::Entries),
    ]);
    read(&plain.with_comment(b"a comment")).unwrap();
    read(&empty).unwrap();
}

#[test]
fn contents() {
    let long = vec![0; 100_000];
    let packed = deflated(&long);
    let deflate = |change: &dyn Fn(&mut Made)| {
        let mut made = file("a", &long);
        (made.method, made.packed, made.data) = (8, packed.len() as u32, packed.clone());
        change(&mut made);
        zip(&[made])
    };
    read(&deflate(&|_| {})).unwrap();
    let bomb = |file: &mut Made| file.unpacked = 200_000_000;
    let sized = |size: u32| move |file: &mut Made| file.unpacked = size;
    let longer = |file: &mut Made| {
        file.data.push(0);
        file.packed += 1;
    };
    let cut = |file: &mut Made| {
        file.data.pop();
        file.packed -= 1;
    };
    let large = |name: &str| {
        let mut made = file(name, b"");
        (made.method, made.packed, made.unpacked, made.data) = (8, 130_000, 131_072_001, vec![0; 130_000]);
        made
    };
    check(vec![
        ("more than deflate can", deflate(&bomb), Fault::Ratio),
        ("a byte less than it says", deflate(&sized(100_001)), Fault::Size),
        ("a byte more than it says", deflate(&sized(99_999)), Fault::Size),
        ("nothing, it says", deflate(&sized(0)), Fault::Size),
        ("data after deflate's end", deflate(&longer), Fault::Data),
        ("data that ends early", deflate(&cut), Fault::Data),
        ("no deflate", one(|file| file.method = 8), Fault::Data),
        ("another crc", deflate(&|file| file.crc ^= 1), Fault::Check),
        ("another crc of what is stored", one(|file| file.crc ^= 1), Fault::Check),
        ("stored in two sizes", one(|file| file.unpacked += 1), Fault::Size),
        ("more than 250 MB together", zip(&[large("a"), large("b")]), Fault::Unzipped),
    ]);
}

#[test]
fn what_nothing_here_reads() {
    check(vec![
        ("encrypted", one(|file| file.flags = 1), Fault::Encrypted),
        ("strongly encrypted", one(|file| file.flags = 1 | 1 << 6), Fault::Encrypted),
        ("masked headers", one(|file| file.flags = 1 << 13), Fault::Encrypted),
        ("AES", one(|file| file.extra = extra(0x9901, b"\x02\0AE\x03\x08\0")), Fault::Encrypted),
        ("a patch", one(|file| file.flags = 1 << 5), Fault::Flags),
        ("deflate64", one(|file| file.method = 9), Fault::Method(9)),
        ("bzip2", one(|file| file.method = 12), Fault::Method(12)),
        ("zstd", one(|file| file.method = 93), Fault::Method(93)),
        ("zip64's sizes", one(|file| file.extra = extra(1, &[0; 16])), Fault::Zip64),
        ("zip64's mark", one(|file| file.unpacked = u32::MAX), Fault::Zip64),
        ("an extra field that is cut", one(|file| file.extra = b"\x01\x99\x05\0x".to_vec()), Fault::Extra),
        (
            "bytes after the extra fields",
            one(|file| file.extra = [extra(0x5455, b"x"), vec![0]].concat()),
            Fault::Extra,
        ),
    ]);
    read(&one(|file| file.extra = extra(0x5455, b"\x01abcd"))).unwrap();
    read(&one(|file| file.extra = extra(0x7075, b"\x01\0\0\0\0a"))).unwrap();
}

#[test]
fn errors_name_the_entry_and_obey_nothing_in_it() {
    let error = read(&named("../\u{1b}[2Ja")).unwrap_err();
    assert_eq!(error.to_string(), "the entry `../\\u{1b}[2Ja` of the zip has a control character in its name");
    assert!(!error.is_unreadable());
    let error = read(b"no zip").unwrap_err();
    assert_eq!(error.to_string(), "the zip has no end of central directory record: it is no zip, or was cut short");
    assert!(error.is_unreadable());
    assert!(read(&named(&"x".repeat(5_000))).unwrap_err().to_string().len() < 400);
}
