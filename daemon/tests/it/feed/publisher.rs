//! The publisher's own server.

use std::{fs, time::Duration};

use reqwest::{Client, Response, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zugzwang::feed::Bulletin;

use super::{key, must, own, put, serve, signed};

/// An HTTP client that isn't ours.
fn client() -> Client {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn get(url: &str) -> Response {
    must(url, client().get(url).send()).await.expect("answer")
}

fn numbers(list: &str) -> Vec<u64> {
    let list: Vec<Bulletin> = serde_json::from_str(list).expect("a list");
    list.iter().map(|bulletin| bulletin.sequence).collect()
}

/// Asks until an answer is as wanted.
async fn wait_for_list(url: &str, wanted: &[u64]) {
    must(&format!("{wanted:?}"), async {
        while numbers(&get(url).await.text().await.expect("text")) != wanted {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Reads an event stream until it holds a text.
async fn read_until(response: &mut Response, text: &str) -> String {
    let mut got = String::new();
    while !got.contains(text) {
        let chunk = must(text, response.chunk()).await.expect("stream").expect("no end yet");
        got.push_str(std::str::from_utf8(&chunk).expect("ASCII"));
    }
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_single_bulletins_and_mistakes_are_answered() {
    let dir = tempfile::tempdir().expect("folder");
    [5, 1, 3].into_iter().for_each(|sequence| put(dir.path(), &own(sequence)));
    let served = serve(dir.path(), None).await;
    let url = |path: &str| format!("{}{path}", served.url);

    let list = get(&url("/bulletins")).await;
    assert_eq!(list.headers()["content-type"], "application/json");
    let etag = list.headers()["etag"].clone();
    assert_eq!(numbers(&list.text().await.expect("text")), [1, 3, 5]);
    let tag = etag.to_str().expect("ASCII");
    for (tags, status) in [
        (tag.to_owned(), StatusCode::NOT_MODIFIED),
        (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
        (format!("\"x\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"x\"".to_owned(), StatusCode::OK),
        (tag.replace('"', ""), StatusCode::OK),
    ] {
        let request = client().get(url("/bulletins")).header("if-none-match", &tags);
        let answer = must("an answer", request.send()).await.expect("answer");
        assert_eq!((answer.status(), &answer.headers()["etag"]), (status, &etag), "{tags}");
        assert_eq!(answer.text().await.expect("text").is_empty(), status == StatusCode::NOT_MODIFIED);
    }
    for (query, expected) in [("?after=1", &[3, 5][..]), ("?x=y&after=4", &[5]), ("?after=5", &[]), ("?x", &[1, 3, 5])]
    {
        let answer = get(&url(&format!("/bulletins{query}"))).await;
        assert_eq!(numbers(&answer.text().await.expect("text")), expected, "{query}");
    }
    let single = get(&url("/bulletins/3")).await.bytes().await.expect("body");
    assert_eq!(Bulletin::from_json(&single), Ok(own(3)));
    for (path, status) in [
        ("/bulletins/2", 404),
        ("/bulletins/x", 400),
        ("/bulletins/-1", 400),
        ("/bulletins/18446744073709551616", 400),
        ("/bulletins?after=x", 400),
        ("/bulletins?after=", 400),
        ("/", 404),
        ("/etc/passwd", 404),
    ] {
        let answer = get(&url(path)).await;
        assert_eq!(answer.status(), status, "{path}");
        let said: serde_json::Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        assert!(said["error"].is_string(), "{path}: {said}");
    }
    let posted = client().post(url("/bulletins")).body("x".repeat(1 << 20)).send();
    // It may be cut off while it is still sending.
    if let Ok(answer) = must("an answer", posted).await {
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    put(dir.path(), &own(4));
    wait_for_list(&url("/bulletins"), &[1, 3, 4, 5]).await;
    assert_ne!(get(&url("/bulletins")).await.headers()["etag"], etag);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_on_from_the_last_id_and_end_when_the_server_does() {
    let dir = tempfile::tempdir().expect("folder");
    (1..=3).for_each(|sequence| put(dir.path(), &own(sequence)));
    let served = serve(dir.path(), None).await;
    let listen = |last: &'static str| {
        let request = client().get(format!("{}/events", served.url));
        async move { must("events", request.header("last-event-id", last).send()).await.expect("answer") }
    };
    let mut late = listen("2").await;
    assert_eq!(late.headers()["content-type"], "text/event-stream");
    let got = read_until(&mut late, "}\n\n").await;
    let expected = format!("retry: 1000\n\nevent: bulletin\nid: 3\ndata: {}\n\n", own(3).to_json());
    assert_eq!(got, expected);
    let mut all = listen("nonsense").await;
    let got = read_until(&mut all, "id: 3").await;
    assert!(got.contains("id: 1") && got.contains("id: 2"), "{got}");
    let mut none = listen("3").await;
    // A lower number that comes late is sent to whoever listens.
    for sequence in [7, 5] {
        put(dir.path(), &own(sequence));
        for stream in [&mut late, &mut all, &mut none] {
            read_until(stream, &own(sequence).to_json()).await;
        }
    }
    served.stop().await;
    for mut stream in [late, all, none] {
        while must("the end", stream.chunk()).await.expect("an orderly end").is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_beyond_the_limit_are_told_so_until_one_leaves() {
    let dir = tempfile::tempdir().expect("folder");
    put(dir.path(), &own(1));
    let served = serve(dir.path(), None).await;
    let url = format!("{}/events", served.url);
    let mut streams = Vec::new();
    for _ in 0..64 {
        let stream = get(&url).await;
        assert_eq!(stream.status(), StatusCode::OK);
        streams.push(stream);
    }
    let refused = get(&url).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "10");
    // Lists are still there, and so are the others' streams.
    let list = get(&format!("{}/bulletins", served.url)).await;
    assert_eq!(numbers(&list.text().await.expect("text")), [1]);
    read_until(&mut streams[63], &own(1).to_json()).await;
    streams.pop();
    must("a place", async {
        while get(&url).await.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_publisher_s_first_word_is_shown() {
    let dir = tempfile::tempdir().expect("folder");
    let write = |name: &str, bytes: &str| fs::write(dir.path().join(name), bytes).expect("write");
    let mut altered = own(2);
    altered.timestamp += 1;
    let mut other_feed = own(3);
    other_feed.feed_id.0[0] ^= 1;
    write("00.json", &signed(2, 1, "somebody else's").to_json());
    write("01.json", &own(1).to_json());
    write("02.json", &altered.to_json());
    write("03.json", &other_feed.to_json());
    write("04.json", "garbage");
    write("05.json", &signed(1, 1, "another result").to_json());
    write("06.json", &own(6).to_json());
    let served = serve(dir.path(), Some(key(1).address())).await;
    let url = format!("{}/bulletins", served.url);
    wait_for_list(&url, &[1, 6]).await;
    let first = get(&format!("{url}/1")).await.bytes().await.expect("body");
    assert_eq!(Bulletin::from_json(&first), Ok(own(1)));
    served.stop().await;
    // Unless it is told whose, it is the first file's.
    let served = serve(dir.path(), None).await;
    wait_for_list(&format!("{}/bulletins", served.url), &[1]).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_finish_asking_lose_their_place() {
    let dir = tempfile::tempdir().expect("folder");
    put(dir.path(), &own(1));
    let served = serve(dir.path(), None).await;
    let address = served.url.strip_prefix("http://").expect("address").to_owned();
    // More than there is room for; each sends a byte now and then.
    let slow: Vec<_> = (0..300)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("connection");
                let mut written = stream.write_all(b"GET /bulletins HTTP/1.1\r\nx: ").await;
                while written.is_ok() {
                    let mut byte = [0];
                    match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut byte)).await {
                        Err(_) => written = stream.write_all(b"x").await,
                        Ok(Ok(1)) => {}
                        Ok(_) => return,
                    }
                }
            })
        })
        .collect();
    assert_eq!(numbers(&get(&format!("{}/bulletins", served.url)).await.text().await.expect("text")), [1]);
    for client in slow {
        must("each is cut off", client).await.expect("no panic");
    }
    // Nor may a head be of any size.
    let mut stream = TcpStream::connect(&address).await.expect("connection");
    let _ = stream.write_all(format!("GET /bulletins HTTP/1.1\r\nx: {}", "x".repeat(100_000)).as_bytes()).await;
    let mut answer = Vec::new();
    // A reset, if it comes before the answer was read, is as good.
    let _ = must("an answer", stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    served.stop().await;
}
