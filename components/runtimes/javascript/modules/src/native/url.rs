//! URLs as WHATWG has them, by the `url` crate.

use rquickjs::{Array, Ctx, Object, Result};
use url::{Url, quirks};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "parse" => parse,
        "set" => set,
        "toAscii" => |name: String| quirks::domain_to_ascii(&name),
        "toUnicode" => |name: String| quirks::domain_to_unicode(&name),
    )
}

fn parse<'js>(ctx: Ctx<'js>, href: String, base: Option<String>) -> Result<Option<Array<'js>>> {
    let base = match base.map(|base| Url::parse(&base)) {
        None => None,
        Some(Ok(base)) => Some(base),
        Some(Err(_)) => return Ok(None),
    };
    match Url::options().base_url(base.as_ref()).parse(&href) {
        Ok(url) => parts(ctx, &url).map(Some),
        Err(_) => Ok(None),
    }
}

/// The parts after one was set; what may not be set leaves all as they were.
fn set<'js>(ctx: Ctx<'js>, href: String, part: String, value: String) -> Result<Option<Array<'js>>> {
    let Ok(mut url) = Url::parse(&href) else { return Ok(None) };
    let _ = match part.as_str() {
        "protocol" => quirks::set_protocol(&mut url, &value),
        "username" => quirks::set_username(&mut url, &value),
        "password" => quirks::set_password(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        _ => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
    };
    parts(ctx, &url).map(Some)
}

fn parts<'js>(ctx: Ctx<'js>, url: &Url) -> Result<Array<'js>> {
    let parts = Array::new(ctx)?;
    let values = [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    for (index, value) in values.into_iter().enumerate() {
        parts.set(index, value)?;
    }
    parts.set(10, quirks::origin(url))?;
    Ok(parts)
}
