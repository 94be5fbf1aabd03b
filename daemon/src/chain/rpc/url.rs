//! Addresses of endpoints. Providers put keys into paths and queries, so only scheme and host are ever shown.

use std::fmt;

use serde::{Serialize, Serializer};

/// The address of an endpoint; shown as scheme and host only.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(reqwest::Url);

impl EndpointUrl {
    /// Reads an address with one of these schemes.
    ///
    /// # Errors
    /// What is wrong, without the address.
    pub fn parse(text: &str, schemes: &[&str]) -> Result<Self, String> {
        let expected = || {
            let schemes: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
            let article = if schemes.first().is_some_and(|scheme| scheme.starts_with('h')) { "an" } else { "a" };
            format!("must be {article} {} address", schemes.join(" or "))
        };
        let url: reqwest::Url = text.parse().map_err(|_| expected())?;
        if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
            return Err(expected());
        }
        Ok(Self(url))
    }

    /// The whole address, with what is secret in it.
    pub(super) fn whole(&self) -> &reqwest::Url {
        &self.0
    }

    /// The whole address as text, for who has to connect.
    pub(in crate::chain) fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// A text without what may be a key of this address: a node may repeat it in its words.
    pub(in crate::chain) fn hide(&self, text: &str) -> String {
        self.secrets().iter().fold(redacted(text), |text, secret| text.replace(secret.as_str(), "…"))
    }

    /// The parts that may be keys.
    fn secrets(&self) -> Vec<String> {
        let path = self.0.path_segments().into_iter().flatten().map(str::to_owned);
        let query = self.0.query_pairs().map(|(_, value)| value.into_owned());
        let user = [self.0.username().to_owned(), self.0.password().unwrap_or_default().to_owned()];
        path.chain(query).chain(user).filter(|part| part.len() >= 8).collect()
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        match self.0.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for EndpointUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text in which every address is cut to its scheme and host.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "\"'<>`)]},;|".contains(c)).unwrap_or(after.len());
        let (address, tail) = after.split_at(end);
        let authority_end = address.find(['/', '?', '#']).unwrap_or(address.len());
        let authority = &address[..authority_end];
        out.push_str(authority.rsplit('@').next().unwrap_or(authority));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let cases = [
            ("https://mainnet.example/v3/0123456789abcdef", "https://mainnet.example"),
            ("https://user:pa55word@node.example:8443/?apikey=0123456789abcdef", "https://node.example:8443"),
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://0123456789abcdef@node.example", "https://node.example"),
        ];
        for (whole, shown) in cases {
            let url = EndpointUrl::parse(whole, &["http", "https"]).expect(whole);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(
                redacted(&format!("no answer from {whole}, try later")),
                format!("no answer from {shown}, try later")
            );
            assert_eq!(redacted(&format!("rpc = \"{whole}\"")), format!("rpc = \"{shown}\""));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in ["", "0123456789abcdef", "ftp://node.example/key", "http://", "ws://node.example"] {
            let error = EndpointUrl::parse(text, &["http", "https"]).expect_err(text);
            assert_eq!(error, "must be an http:// or https:// address");
        }
    }

    #[test]
    fn parts_that_may_be_keys_are_known() {
        let url = EndpointUrl::parse("https://me:pa55word@a.example/v3/0123456789abcdef?k=fedcba9876", &["https"]);
        assert_eq!(url.expect("url").secrets(), ["0123456789abcdef", "fedcba9876", "pa55word"]);
    }
}
