//! What the table of cases (`cases.json`) says a package is, made. The platform's tests
//! make theirs by it too, so it names nothing of ours: who signs is its caller's.

use serde_json::Value;

use super::build::{Made, Zip, deflated, extra, file};

/// The files of a case that says nothing of them, by name and content.
const FILES: &[(&str, &str)] = &[
    ("lambda_function.py", "def lambda_handler(event, context):\n    return event\n"),
    ("lib/helper.py", "answer = 42\n"),
];
const SIGNATURE: &str = "META-INF/lamina.sig";

/// The zip of a case, and the signature that is kept beside it.
pub(crate) struct Case {
    pub(crate) zip: Vec<u8>,
    pub(crate) detached: Option<Vec<u8>>,
}

/// Makes a case's package. `sign` signs a zip or a component with the key of that name;
/// `detach` does so beside the zip, adding to what others have signed there.
pub(crate) fn made(
    case: &Value,
    component: &[u8],
    sign: impl Fn(&[u8], &str) -> Vec<u8>,
    detach: impl Fn(&[u8], Option<&[u8]>, &str) -> Vec<u8>,
) -> Case {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let own = texts(&case["SignComponent"]).iter().fold(component.to_vec(), |component, key| sign(&component, key));
    let mut plain: Vec<Made> = FILES.iter().map(|(name, text)| file(name, text.as_bytes())).collect();
    match case["Files"].as_str() {
        None => {}
        Some("component") => plain = vec![file("bootstrap.wasm", &own)],
        Some("component and more") => plain.insert(0, file("bootstrap.wasm", &own)),
        Some(other) => panic!("no such files: {other}"),
    }
    let (mut zip, mut detached) = (Zip::of(&plain).bytes(), None);
    for key in texts(&case["Sign"]) {
        if case["Detached"] == true {
            detached = Some(detach(&zip, detached.as_deref(), &key));
        } else {
            zip = sign(&zip, &key);
        }
    }
    let changes = match &case["Then"] {
        Value::Null => return Case { zip, detached },
        Value::Array(changes) => changes.clone(),
        one => vec![one.clone()],
    };
    let mut changed = Changed::of(&zip);
    changes.iter().for_each(|change| changed.change(change));
    Case { zip: changed.bytes(), detached }
}

/// A zip, as it can be changed: the files' local and central sides.
struct Changed {
    files: Vec<(Made, Made)>,
    /// What the end record says.
    entries: Option<u16>,
    after: Vec<u8>,
}

impl Changed {
    fn of(zip: &[u8]) -> Self {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        let mut files = Vec::new();
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            std::io::copy(&mut entry, &mut content).unwrap();
            let mut made = file(&entry.name().unwrap(), &content);
            made.mode = entry.unix_mode().unwrap() as u16;
            files.push((made.clone(), made));
        }
        Self { files, entries: None, after: Vec::new() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut zip = Zip::apart(&self.files);
        zip.entries = self.entries.unwrap_or(zip.entries);
        [zip.bytes(), self.after.clone()].concat()
    }

    fn at(&self, name: &str) -> usize {
        let at = self.files.iter().position(|(_, file)| file.name == name.as_bytes());
        at.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Changes both sides of a file.
    fn both(&mut self, name: &str, change: impl Fn(&mut Made)) {
        let at = self.at(name);
        let (local, central) = &mut self.files[at];
        change(local);
        change(central);
    }

    /// What was done to a package after it was signed.
    fn change(&mut self, then: &Value) {
        let (what, arguments) = then.as_object().and_then(|then| then.iter().next()).unwrap();
        let argument = |at: usize| arguments[at].as_str().unwrap();
        let replaced = |content: &[u8]| {
            let new = file("", content);
            move |file: &mut Made| *file = Made { name: file.name.clone(), mode: file.mode, ..new.clone() }
        };
        match what.as_str() {
            "Add" => {
                let new = file(argument(0), argument(1).as_bytes());
                self.files.push((new.clone(), new));
            }
            "Change" => self.both(argument(0), replaced(argument(1).as_bytes())),
            "Rename" => self.both(argument(0), |file| file.name = argument(1).as_bytes().to_vec()),
            "Remove" => {
                self.files.remove(self.at(argument(0)));
            }
            "Mode" => {
                let mode = u16::from_str_radix(argument(1), 8).unwrap();
                self.both(argument(0), |file| file.mode = if mode > 0o777 { mode } else { 0o100_000 | mode });
            }
            "Swap" => {
                let (one, other) = (self.at(argument(0)), self.at(argument(1)));
                let names = [one, other].map(|at| self.files[at].0.name.clone());
                for (at, name) in [(one, &names[1]), (other, &names[0])] {
                    self.files[at].0.name.clone_from(name);
                    self.files[at].1.name.clone_from(name);
                }
            }
            "Repack" => {
                self.files.reverse();
                for (local, central) in &mut self.files {
                    let data = deflated(&local.data);
                    for side in [local, central] {
                        (side.method, side.packed, side.data) = (8, data.len() as u32, data.clone());
                    }
                }
            }
            "Signature" => {
                let mut content = self.files[self.at(SIGNATURE)].0.data.clone();
                let place: isize = argument(0).parse().unwrap();
                let place = place.rem_euclid(content.len() as isize) as usize;
                content[place] ^= 1;
                self.both(SIGNATURE, replaced(&content));
            }
            "SignatureText" => self.both(SIGNATURE, replaced(argument(0).as_bytes())),
            // Within what deflate can do: all of them together are too large.
            "Bomb" => {
                let mut new = file(argument(0), &[0; 130_000]);
                (new.method, new.unpacked) = (8, 131_072_001);
                self.files.push((new.clone(), new));
            }
            "Header" => self.header(argument(0), argument(1), &arguments[2]),
            "Entries" => self.entries = Some(arguments.as_u64().unwrap() as u16),
            "After" => self.after = arguments.as_str().unwrap().as_bytes().to_vec(),
            other => panic!("no such change: {other}"),
        }
    }

    /// Changes fields of a file's local header, its central one, or both.
    fn header(&mut self, name: &str, side: &str, fields: &Value) {
        let at = self.at(name);
        let (local, central) = &mut self.files[at];
        let sides = match side {
            "local" => vec![local],
            "central" => vec![central],
            "both" => vec![local, central],
            other => panic!("no such side: {other}"),
        };
        for made in sides {
            for (field, value) in fields.as_object().unwrap() {
                let number = value.as_u64().unwrap_or_default() as u32;
                match field.as_str() {
                    "Name" => made.name = value.as_str().unwrap().as_bytes().to_vec(),
                    "Flags" => made.flags = number as u16,
                    "Method" => made.method = number as u16,
                    "Crc" => made.crc = number,
                    "Packed" => made.packed = number,
                    "Unpacked" => made.unpacked = number,
                    "Extra" => made.extra = extra(number as u16, &[0; 16]),
                    "Offset" => made.is_elsewhere = Some(number),
                    other => panic!("no such field: {other}"),
                }
            }
        }
    }
}
