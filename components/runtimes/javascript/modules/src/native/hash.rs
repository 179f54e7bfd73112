//! Digests, HMAC, key derivation and randomness.

use digest::DynDigest;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use super::bytes::{self, Bytes};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "known" => |name: String| hasher(&name).is_some(),
        "create" => |ctx, name: String| create(ctx, &name, None),
        "createHmac" => |ctx, name: String, key: Bytes<'_>| {
            let key = bytes::with(&key, <[u8]>::to_vec);
            create(ctx, &name, Some(key))
        },
        "hash" => hash,
        "pbkdf2" => pbkdf2,
        "scrypt" => scrypt,
        "equal" => equal,
        "random" => random,
    )
}

fn hasher(name: &str) -> Option<Box<dyn DynDigest>> {
    Some(match name {
        "md5" => Box::new(md5::Md5::default()),
        "sha1" => Box::new(sha1::Sha1::default()),
        "sha224" => Box::new(sha2::Sha224::default()),
        "sha256" => Box::new(sha2::Sha256::default()),
        "sha384" => Box::new(sha2::Sha384::default()),
        "sha512" => Box::new(sha2::Sha512::default()),
        "sha512-224" => Box::new(sha2::Sha512_224::default()),
        "sha512-256" => Box::new(sha2::Sha512_256::default()),
        _ => return None,
    })
}

/// A digest under way, or an HMAC (RFC 2104) if there is an outer one.
struct Running {
    inner: Box<dyn DynDigest>,
    outer: Option<Box<dyn DynDigest>>,
}

impl Clone for Running {
    fn clone(&self) -> Self {
        Self { inner: self.inner.box_clone(), outer: self.outer.as_ref().map(|outer| outer.box_clone()) }
    }
}

impl Running {
    fn new(name: &str, key: Option<Vec<u8>>) -> Option<Self> {
        let mut inner = hasher(name)?;
        let Some(mut key) = key else { return Some(Self { inner, outer: None }) };
        let mut outer = inner.box_clone();
        // The size of a block, in bytes (FIPS 180-4, RFC 1321).
        let block = if matches!(name, "sha384" | "sha512" | "sha512-224" | "sha512-256") { 128 } else { 64 };
        if key.len() > block {
            let mut short = inner.box_clone();
            short.update(&key);
            key = short.finalize().into_vec();
        }
        key.resize(block, 0);
        inner.update(&key.iter().map(|byte| byte ^ 0x36).collect::<Vec<_>>());
        outer.update(&key.iter().map(|byte| byte ^ 0x5c).collect::<Vec<_>>());
        Some(Self { inner, outer: Some(outer) })
    }

    fn finish(self) -> Vec<u8> {
        let inner = self.inner.finalize().into_vec();
        let Some(mut outer) = self.outer else { return inner };
        outer.update(&inner);
        outer.finalize().into_vec()
    }
}

/// A function of one digest: `step(bytes)` adds, `step()` answers the digest so far,
/// `step(null)` answers a copy.
fn create<'js>(ctx: Ctx<'js>, name: &str, key: Option<Vec<u8>>) -> Result<Function<'js>> {
    let Some(running) = Running::new(name, key) else {
        return Err(Exception::throw_message(&ctx, "Digest method not supported"));
    };
    step(ctx, running)
}

fn step<'js>(ctx: Ctx<'js>, running: Running) -> Result<Function<'js>> {
    let running = std::cell::RefCell::new(running);
    let call = move |ctx: Ctx<'js>, data: Value<'js>| -> Result<Value<'js>> {
        if data.is_null() {
            let copy = running.borrow().clone();
            return Ok(step(ctx, copy)?.into_value());
        }
        if data.is_undefined() {
            return Ok(bytes::new(&ctx, running.borrow().clone().finish())?.into_value());
        }
        let data = Bytes::from_value(data)?;
        bytes::with(&data, |data| running.borrow_mut().inner.update(data));
        Ok(Value::new_undefined(ctx))
    };
    Function::new(ctx, call)
}

fn hash<'js>(ctx: Ctx<'js>, name: String, data: Bytes<'js>) -> Result<Bytes<'js>> {
    let Some(mut hasher) = hasher(&name) else {
        return Err(Exception::throw_message(&ctx, "Digest method not supported"));
    };
    bytes::with(&data, |data| hasher.update(data));
    bytes::new(&ctx, hasher.finalize().into_vec())
}

fn pbkdf2<'js>(
    ctx: Ctx<'js>,
    name: String,
    password: Bytes<'js>,
    salt: Bytes<'js>,
    rounds: u32,
    length: usize,
) -> Result<Bytes<'js>> {
    let mut key = vec![0; length];
    let known = bytes::with(&password, |password| {
        bytes::with(&salt, |salt| {
            match name.as_str() {
                "sha1" => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, rounds, &mut key),
                "sha256" => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, rounds, &mut key),
                "sha384" => pbkdf2::pbkdf2_hmac::<sha2::Sha384>(password, salt, rounds, &mut key),
                "sha512" => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, rounds, &mut key),
                _ => return false,
            }
            true
        })
    });
    if !known {
        return Err(Exception::throw_message(&ctx, &format!("this runtime has no pbkdf2 with {name}")));
    }
    bytes::new(&ctx, key)
}

fn scrypt<'js>(
    ctx: Ctx<'js>,
    password: Bytes<'js>,
    salt: Bytes<'js>,
    length: usize,
    log_n: u8,
    r: u32,
    p: u32,
) -> Result<Bytes<'js>> {
    let mut key = vec![0; length];
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| Exception::throw_range(&ctx, "Invalid scrypt params"))?;
    let done =
        bytes::with(&password, |password| bytes::with(&salt, |salt| scrypt::scrypt(password, salt, &params, &mut key)));
    done.map_err(|_| Exception::throw_range(&ctx, "Invalid scrypt params"))?;
    bytes::new(&ctx, key)
}

fn equal(left: Bytes<'_>, right: Bytes<'_>) -> bool {
    use subtle::ConstantTimeEq;
    bytes::with(&left, |left| bytes::with(&right, |right| left.ct_eq(right).into()))
}

/// Fills the array with randomness of the system.
fn random(ctx: Ctx<'_>, target: Bytes<'_>) -> Result<()> {
    let mut random = vec![0; target.len()];
    getrandom::fill(&mut random).map_err(|error| Exception::throw_message(&ctx, &error.to_string()))?;
    bytes::fill(&target, &random);
    Ok(())
}
