//! Sources: good servers and bad ones.

use std::{fs, time::Duration};

use zugzwang::feed::{Event, Inbox, Limits, SourceConfig, SourceError, Verdict};

use super::{
    FEED, OFTEN, key, own, put, quick, serve,
    server::{Act, BadServer, answer, open_head, stream},
    signed, watched,
};

fn http(url: String) -> SourceConfig {
    SourceConfig::Http { url, every: OFTEN }
}

fn sse(url: String) -> SourceConfig {
    SourceConfig::Sse { url }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sources_bring_what_is_published_and_each_bulletin_counts_once() {
    let dir = tempfile::tempdir().expect("folder");
    (1..=3).for_each(|sequence| put(dir.path(), &own(sequence)));
    let served = serve(dir.path(), None).await;
    let folder = SourceConfig::Dir { path: dir.path().to_path_buf(), every: OFTEN };
    let sources = vec![http(format!("{}/bulletins", served.url)), sse(format!("{}/events", served.url)), folder];
    let mut watched = watched(sources, Limits::default());
    let mut inbox = Inbox::new(key(1).address(), FEED);
    let mut check = |got: std::collections::BTreeMap<String, Vec<_>>, expected: &[u64], new: usize| {
        assert_eq!(got.len(), 3);
        for (source, bulletins) in &got {
            let expected: Vec<_> = expected.iter().map(|&sequence| own(sequence)).collect();
            assert_eq!(bulletins, &expected, "{source}");
        }
        let verdicts: Vec<_> = got.values().flatten().map(|bulletin| inbox.judge(bulletin)).collect();
        assert_eq!(verdicts.iter().filter(|v| **v == Verdict::New { missing: None }).count(), new);
        assert_eq!(verdicts.iter().filter(|v| **v == Verdict::Known).count(), verdicts.len() - new);
    };
    check(watched.bulletins(3, 3).await, &[1, 2, 3], 3);
    put(dir.path(), &own(4));
    check(watched.bulletins(3, 1).await, &[4], 1);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let list = format!("[{}]", own(1).to_json());
    let server = BadServer::start(vec![
        answer("200 OK", "etag: \"a\"\r\n", &list),
        answer("304 Not Modified", "", ""),
        answer("304 Not Modified", "", ""),
        // Another form of the same, a single bulletin; then none without a tag.
        answer("200 OK", "", &own(2).to_json()),
        answer("304 Not Modified", "", ""),
        answer("200 OK", "", &format!("[{},{}]", own(1).to_json(), own(3).to_json())),
    ])
    .await;
    let mut watched = watched(vec![http(server.url())], quick());
    let problems = watched.problems_until(3).await;
    assert_eq!(problems, [SourceError::Status { url: server.url(), status: 304 }]);
    let tags: Vec<bool> = server.heads().iter().map(|head| head.contains("if-none-match: \"a\"\r\n")).collect();
    assert_eq!(tags[..6], [false, true, true, true, false, false]);
}

/// A server acts, then answers well: what is reported before the good bulletin, by a part of its text.
async fn check_http(acts: Vec<Act>, limits: Limits, says: &[&str]) {
    let good = answer("200 OK", "", &format!("[{}]", own(1).to_json()));
    let server = BadServer::start([acts.clone(), vec![good]].concat()).await;
    let problems = watched(vec![http(server.url())], limits).problems_until(1).await;
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), says.len(), "{acts:?}: {texts:#?}");
    for (text, says) in texts.iter().zip(says) {
        assert!(text.contains(says) && text.contains(&server.address.to_string()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_reported_once_and_asked_for_again() {
    let ok = |body: &str| answer("200 OK", "", body);
    let failing = answer("500 Internal Server Error", "", "oops");
    check_http(vec![failing.clone(), failing.clone(), failing], quick(), &["HTTP status 500"]).await;
    let different = vec![answer("503 Busy", "", ""), answer("404 Not Found", "", ""), answer("204 Nothing", "", "")];
    check_http(different, quick(), &["status 503", "status 404", "status 204"]).await;
    check_http(vec![Act::Close, Act::Close], quick(), &["no whole answer"]).await;
    check_http(vec![Act::Say(b"\0\xffgarbage\r\n\r\n".to_vec())], quick(), &["no whole answer"]).await;
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[".to_vec();
    check_http(vec![Act::Say(short)], quick(), &["no whole answer"]).await;
    let chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec();
    check_http(vec![Act::Say(chunks)], quick(), &["no whole answer"]).await;
    for body in ["", "[", "hello", "7", "\"text\"", "null", "\u{0}"] {
        check_http(vec![ok(body), ok(body)], quick(), &["no list of bulletins"]).await;
    }
    check_http(vec![ok(&"[".repeat(60_000))], quick(), &["no list of bulletins"]).await;
    let moved = answer("302 Found", "location: /x\r\n", "");
    check_http(vec![moved.clone(), moved.clone(), moved.clone(), moved], quick(), &["redirect"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_and_too_slow_answers_are_left() {
    let large = "[".repeat(quick().body + 1);
    check_http(vec![answer("200 OK", "", &large)], quick(), &["more than 65536 bytes"]).await;
    // Without a length, and without an end.
    let head = open_head("application/json").into_bytes();
    check_http(vec![Act::Pour(head.clone(), vec![b' '; 9999])], quick(), &["more than 65536 bytes"]).await;
    let endless = Act::Pour(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 9999]);
    check_http(vec![endless], quick(), &["no whole answer"]).await;

    // Here a good answer may be too slow as well, on a slow machine: it comes in the end.
    let hasty = Limits { answer: Duration::from_millis(300), ..quick() };
    for act in [Act::Drip, Act::Hang(Vec::new()), Act::Hang(head.clone()), Act::Hang([&head[..], b"["].concat())] {
        check_http(vec![act.clone()], hasty, &["it took too long"]).await;
        check_http(vec![act.clone(), act], hasty, &["it took too long"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_items_are_reported_once_each_and_hold_nothing_up() {
    let bad = r#"{"feed_id":"0x00"}"#;
    let long = own(7).to_json().replace("FULL TIME", &"x".repeat(300));
    let list = format!("[1, {}, {bad}, null, {long}, [], {}]", own(1).to_json(), own(2).to_json());
    let longer = format!("[{bad}, {}]", own(3).to_json());
    let acts = vec![answer("200 OK", "", &list), answer("200 OK", "", &list), answer("200 OK", "", &longer)];
    let server = BadServer::start(acts).await;
    let problems = watched(vec![http(server.url())], quick()).problems_until(3).await;
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let places: Vec<String> = [0, 2, 3, 4, 5].map(|at| format!("{}, item {at}: ", server.url())).to_vec();
    assert_eq!(texts.len(), 5, "{texts:#?}");
    assert!(texts.iter().zip(places).all(|(text, place)| text.starts_with(&place)), "{texts:#?}");
    assert!(texts[3].contains("write at most 248"), "{}", texts[3]);

    // Many at once are reported together.
    let many = (0..500).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let many = format!("[{many},{}]", own(1).to_json());
    let server = BadServer::start(vec![answer("200 OK", "", &many)]).await;
    let problems = watched(vec![http(server.url())], quick()).problems_until(1).await;
    assert_eq!(problems.len(), 17, "{problems:#?}");
    assert!(matches!(problems[16], SourceError::MoreBadItems { most: 16, .. }), "{}", problems[16]);
}

fn event(sequence: u64) -> String {
    format!("id: {sequence}\nevent: bulletin\ndata: {}\n\n", own(sequence).to_json())
}

/// As `check_http`, for event streams.
async fn check_sse(acts: Vec<Act>, limits: Limits, says: &[&str]) {
    let server = BadServer::start([acts.clone(), vec![stream(&event(1))]].concat()).await;
    let problems = watched(vec![sse(server.url())], limits).problems_until(1).await;
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), says.len(), "{acts:?}: {texts:#?}");
    for (text, says) in texts.iter().zip(says) {
        assert!(text.contains(says) && text.contains(&server.address.to_string()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_streams_are_reported_and_connected_to_again() {
    let failing = answer("500 Internal Server Error", "", "oops");
    check_sse(vec![failing.clone(), failing], quick(), &["HTTP status 500"]).await;
    check_sse(vec![Act::Close, Act::Close], quick(), &["no whole answer"]).await;
    check_sse(vec![answer("200 OK", "content-type: text/html\r\n", "<html>")], quick(), &["\"text/html\""]).await;
    check_sse(vec![answer("200 OK", "", "data: x\n\n")], quick(), &["not text/event-stream"]).await;
    check_sse(vec![stream(""), stream(": hello\n\n")], quick(), &["ended without an event"]).await;
    let half = event(1);
    check_sse(vec![stream(&half[..half.len() - 1])], quick(), &["ended without an event"]).await;
    let head = open_head("text/event-stream").into_bytes();
    let endless = Act::Pour([&head[..], b"data: "].concat(), vec![b'x'; 9999]);
    check_sse(vec![endless], quick(), &["an event went on for more than 65536 bytes"]).await;
    let bad = "data: {}\n\ndata: hello\n\ndata: {}\n\nevent: other\ndata: not for us\n\n";
    check_sse(vec![stream(bad), stream(bad)], quick(), &["no bulletin in JSON", "no bulletin in JSON"]).await;
    let long = format!("id: 9\ndata: {}\n\n", "x".repeat(20_000));
    check_sse(vec![stream(&format!("{long}{}", event(1)))], quick(), &["more than 8192 bytes"]).await;

    // Here a good answer may be too slow as well, on a slow machine: it comes in the end.
    let hasty = Limits { answer: Duration::from_millis(300), ..quick() };
    check_sse(vec![Act::Drip], hasty, &["it took too long"]).await;
    check_sse(vec![Act::Hang(Vec::new())], hasty, &["it took too long"]).await;
    let impatient = Limits { silence: Duration::from_millis(300), ..quick() };
    check_sse(vec![Act::Hang(head)], impatient, &["not even a comment"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_goes_on_after_its_last_event() {
    let server = BadServer::start(vec![
        stream(&format!("retry: 5\n\n{}{}", event(1), event(2))),
        // Cut within an event; and an id that no header can carry.
        stream(&event(3)[..40]),
        stream(&format!("{}id: \u{1}\ndata: {}\n\n", event(3), own(4).to_json())),
        stream(&format!("{}{}", event(4), event(5))),
    ])
    .await;
    let mut watched = watched(vec![sse(server.url())], quick());
    let problems = watched.problems_until(5).await;
    assert!(matches!(&problems[..], [SourceError::Ended { .. }]), "{problems:?}");
    let ids: Vec<Option<String>> = server.heads()[..4]
        .iter()
        .map(|head| head.lines().find_map(|line| line.strip_prefix("last-event-id: ").map(str::to_owned)))
        .collect();
    assert_eq!(ids, [None, Some("2".to_owned()), Some("2".to_owned()), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_brings_its_files_and_names_the_bad_ones() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("feed");
    let limits = Limits { files: 8, ..quick() };
    let mut watched = watched(vec![SourceConfig::Dir { path: path.clone(), every: OFTEN }], limits);
    let Event::Problem { what, .. } = watched.next().await else { panic!("there is no folder yet") };
    assert!(matches!(what, SourceError::Folder { .. }), "{what}");

    fs::create_dir(&path).expect("folder");
    let write = |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).expect("write");
    // None of these is a bulletin's file.
    write("notes.txt", b"hello");
    write(".draft.json", b"{");
    fs::create_dir(path.join("folder.json")).expect("folder");
    write("garbage.json", b"\xff\xfe\0");
    write("empty.json", b"");
    write("long.json", &vec![b' '; 9000]);
    let mut problems = Vec::new();
    while problems.len() < 3 {
        match watched.next().await {
            Event::Problem { what, .. } => problems.push(what.to_string()),
            Event::Received { bulletin, .. } => panic!("{bulletin:?}"),
        }
    }
    for (text, (name, says)) in problems.iter().zip([
        ("empty.json", "EOF"),
        ("garbage.json", "no bulletin in JSON"),
        ("long.json", "more than 8192 bytes"),
    ]) {
        assert!(text.contains(name) && text.contains(says), "{text}");
    }
    // Good ones come, also a bad one that was mended; nothing is said twice.
    put(&path, &own(1));
    write("garbage.json", own(2).to_json().as_bytes());
    let got = watched.bulletins(1, 2).await.into_values().next().expect("one source");
    let mut sequences: Vec<_> = got.iter().map(|bulletin| bulletin.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, [1, 2]);
    // The same again under another name is the same; another publisher's is for the inbox to refuse.
    write("again.json", own(1).to_json().as_bytes());
    let other = signed(2, 3, "somebody else's");
    write("other.json", other.to_json().as_bytes());
    let got = watched.bulletins(1, 1).await.into_values().next().expect("one source");
    assert_eq!(got, [other]);

    (10..20).for_each(|sequence| put(&path, &own(sequence)));
    loop {
        if let Event::Problem { what, .. } = watched.next().await {
            assert!(matches!(what, SourceError::TooManyFiles { limit: 8, .. }), "{what}");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_end_when_they_are_stopped_or_nobody_listens() {
    let server = BadServer::start(vec![Act::Hang(Vec::new())]).await;
    let sources = || vec![http(server.url()), sse(server.url())];
    let config = |sources| zugzwang::feed::FeedConfig {
        publisher: key(1).address(),
        feed_id: FEED,
        sources,
        limits: Limits::default(),
    };
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let stopped_config = config(sources());
    let run = tokio::spawn(async move { zugzwang::feed::watch(&stopped_config, sender, stopped).await });
    stop.send(true).expect("it listens");
    super::must("it stops", run).await.expect("no panic").expect("good addresses");
    assert_eq!(events.recv().await, None);

    let server = BadServer::start(vec![answer("500 Internal Server Error", "", "")]).await;
    let (sender, events) = tokio::sync::mpsc::channel(1);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    drop(events);
    let alone = config(vec![http(server.url()), sse(server.url())]);
    super::must("it ends", zugzwang::feed::watch(&alone, sender, stopped)).await.expect("good addresses");

    let (sender, _events) = tokio::sync::mpsc::channel(1);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let wrong = config(vec![sse("ftp://127.0.0.1/".into())]);
    let error = zugzwang::feed::watch(&wrong, sender, stopped).await.expect_err("a wrong address").to_string();
    assert!(error.contains("neither http nor https"), "{error}");
}
