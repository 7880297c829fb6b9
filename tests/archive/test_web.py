"""The archive's page in a real browser, over a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gridtap import archive
from gridtap.esmond.event_types import EVENT_TYPES
from tests.archive import web_data
from tests.archive.browser import Keys, Page, opened
from tests.archive.serving import SEED, Server, fill, serving
from tests.archive.web_data import DAY, DENSE_KEY, HOSTILE_KEY, TRACE_KEY
from tests.cli.command import run

THROUGHPUT_KEY = "3cf676f47ae0b52cf861862cb0d2deda"
DELAY_KEY = "8ae805b6fa8331dddc10f261e76f520f"
STREAMS_KEY = "ed9dd767efe41946fa03eab9dc2af408"

ROWS = "return [...document.querySelectorAll('tr[data-key]')].map((row) => row.dataset.key)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    db = tmp_path_factory.mktemp("web") / "archive.db"
    run("archive", "import", SEED, "--db", db)
    fill(db, [web_data.hostile(), web_data.dense(), web_data.traces()])
    with serving(db) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Iterator[Page]:
    """The browser as if it were new; whatever a test does, the console has to stay silent"""
    chromium.resize(1280, 1000)
    chromium.prefer("light")
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []


@pytest.fixture(scope="module")
def listed(server: Server) -> list[dict[str, Any]]:
    return server.get("")


def rows(page: Page) -> list[str]:
    return page.js(ROWS)


def searched(page: Page, text: str) -> list[str]:
    box = page.one("#search")
    box.clear()
    page.after(lambda: box.send_keys(text, Keys.ENTER))
    return rows(page)


def measurement(key: str, event_type: str, **more: str) -> str:
    return "#" + "&".join(
        f"{name}={value}" for name, value in {"key": key, "event-type": event_type, **more}.items()
    )


def readouts(page: Page, count: int) -> list[str]:
    """What the plot with the focus says at each stop, from the first to the last"""
    page.press(Keys.HOME)
    said = []
    for _ in range(count):
        said.append(page.js("return document.activeElement.getAttribute('aria-valuetext')"))
        page.press(Keys.ARROW_RIGHT)
    return said


def test_the_page_knows_the_event_types_of_the_archive(page: Page, server: Server) -> None:
    page.open(server.address)
    known = page.js("""return import("./events.js").then((events) => Object.fromEntries(
        events.NAMES.map((name) => [name, [events.dataType(name), events.unit(name)]])))""")
    assert known == {each.name: [each.data_type, each.unit] for each in EVENT_TYPES.values()}


def test_the_page_names_each_of_its_modules(page: Page, server: Server) -> None:
    web = Path(archive.__file__).with_name("web")
    named = re.findall(r'(?:href|src)="([\w/-]+\.js)"', (web / "index.html").read_text())
    assert sorted(named) == sorted(str(path.relative_to(web)) for path in web.rglob("*.js"))
    page.requests()
    page.open(server.address)
    assert sorted(url for url in page.requests() if url.endswith(".js")) == sorted(
        f"{server.address}/{name}" for name in named
    )


def test_the_table_lists_all_measurements(
    page: Page, server: Server, listed: list[dict[str, Any]]
) -> None:
    page.open(server.address)
    assert rows(page) == [each["metadata-key"] for each in listed]
    assert page.one(".summary").text == f"{len(listed)} measurements"
    shown = page.one(f"tr[data-key='{THROUGHPUT_KEY}']").text
    for text in ("ps-10.example.net", "192.0.2.20", "bwctl/iperf3", "2021-03-02 00:01:00"):
        assert text in shown


#: What is typed, and which of the listed are found
SEARCHES: dict[str, Callable[[dict[str, Any]], bool]] = {
    # Part of a name, which the API cannot look for
    "powstr": lambda each: "powstr" in each["tool-name"],
    # An address, wherever it stands
    "198.51.100.30": lambda each: (
        "198.51.100.30" in (each["source"], each.get("destination"), each["measurement-agent"])
    ),
    "2001:DB8:0::10": lambda each: each["source"] == "2001:db8::10",
    # The name of an event type
    "path-mtu": lambda each: "path-mtu" in [event["event-type"] for event in each["event-types"]],
    # Any parameter
    "ip-transport-protocol=udp": lambda each: each.get("ip-transport-protocol") == "udp",
    "tool=gridftp": lambda each: each["tool-name"] == "gridftp",
    '"edge, "': lambda each: "edge, " in each["tool-name"],
    "iperf3 source=192.0.2.10": lambda each: (
        "iperf3" in each["tool-name"] and each["source"] == "192.0.2.10"
    ),
}


def test_a_search_narrows_the_table(
    page: Page, server: Server, listed: list[dict[str, Any]]
) -> None:
    page.open(server.address)
    for text, is_found in SEARCHES.items():
        found = {each["metadata-key"] for each in listed if is_found(each)}
        assert 0 < len(found) < len(listed)
        assert set(searched(page, text)) == found, text
    # The address alone shows the same.
    page.open(server.address, page.chrome.current_url.removeprefix(server.address + "/"))
    assert set(rows(page)) == found


def test_typing_is_enough_to_search(page: Page, server: Server) -> None:
    page.open(server.address)
    page.after(lambda: page.one("#search").send_keys("nuttcp"))
    page.wait(lambda: len(rows(page)) == 1)
    assert "bwctl/nuttcp" in page.one("tbody tr").text


def test_a_name_without_address_is_one_clear_line(page: Page, server: Server) -> None:
    page.open(server.address)
    page.after(lambda: page.one("#filter-source").send_keys("no-such-host.invalid", Keys.ENTER))
    line = "The archive refused (400): Unable to find address for host no-such-host.invalid"
    page.wait(lambda: page.one("#error").text == line)
    assert [each for each in page.complaints() if "400" not in each] == []


def test_columns_sort_all_rows_both_ways(
    page: Page, server: Server, listed: list[dict[str, Any]]
) -> None:
    stamps = {
        each["metadata-key"]: max(
            (event["time-updated"] or 0 for event in each["event-types"]), default=0
        )
        for each in listed
    }
    page.open(server.address)
    for is_newest_first in (True, False):
        page.after(lambda: page.one("#sort-updated").click())
        shown = [stamps[key] for key in rows(page)]
        assert shown == sorted(stamps.values(), reverse=is_newest_first)
    assert page.one("th[aria-sort]").get_attribute("aria-sort") == "ascending"


def test_pages_follow_the_archive(tmp_path: Path, page: Page) -> None:
    db = tmp_path / "crowd.db"
    fill(db, web_data.crowd(130))
    with serving(db) as crowd:
        keys = [each["metadata-key"] for each in crowd.get("")]
        page.requests()
        page.open(crowd.address)
        shown = rows(page)
        assert shown == keys[:50]
        assert [url for url in page.requests() if "limit=50&offset=0" in url]
        for _ in range(2):
            page.after(lambda: page.all(".pager a")[-2].click())
            shown += rows(page)
        assert shown == keys
        assert page.one(".pager .where").text == "101 to 130 of 130"
        page.after(page.chrome.back)
        assert rows(page) == keys[50:100]
        assert len(searched(page, "tool-3")) == sum(number % 7 == 3 for number in range(130))
        # Sorting is over all of them, not over the page.
        page.open(crowd.address, "#sort=-updated")
        assert rows(page) == [f"{number:032x}" for number in range(129, 79, -1)]


def test_from_the_table_to_a_plot_of_the_data(page: Page, server: Server) -> None:
    page.open(server.address)
    page.after(lambda: page.one(f"tr[data-key='{THROUGHPUT_KEY}'] .row-link").click())
    assert page.one("h1").text == "ps-10.example.net → ps-20.example.net"
    assert page.one("#series").text == "throughput"
    data = server.get(f"{THROUGHPUT_KEY}/throughput/base")
    assert drawn(page) == [(each["ts"], each["val"]) for each in data]
    placed_right(page)
    page.one(".as-table summary").click()
    table = page.wait(lambda: page.texts(".as-table tbody tr"))
    assert table[0] == "2021-03-01 00:00:009.41235 Gbit/s"
    assert len(table) == len(data)
    link = page.one(".json-link").get_attribute("href")
    assert link is not None
    assert server.get(link.removeprefix(server.address)) == data


def drawn(page: Page) -> list[tuple[float, float]]:
    """The points of the plot, by what each says it shows"""
    points = page.js("""return [...document.querySelectorAll('.series circle')].map(
        (point) => [Number(point.dataset.x), Number(point.dataset.y)])""")
    return [(x, y) for x, y in points]


def placed_right(page: Page) -> None:
    """Points stand where the axes say that their values are"""
    points, across, up = page.js("""
        const of = (selector, place) => [...document.querySelectorAll(selector)].map((mark) =>
            [Number(mark.dataset.value), Number(mark.getAttribute(place))]);
        const points = [...document.querySelectorAll('.series circle')].map((point) => [
            Number(point.dataset.x), Number(point.dataset.y),
            Number(point.getAttribute('cx')), Number(point.getAttribute('cy'))]);
        return [points, of('.axis-x .tick', 'x1'), of('.axis-y .grid', 'y1')]""")
    assert len(points) > 1
    assert min(len(across), len(up)) > 2
    for x, y, at_x, at_y in points:
        assert at_x == pytest.approx(between(across, x), abs=0.1)
        assert at_y == pytest.approx(between(up, y), abs=0.1)


def between(marks: list[list[float]], value: float) -> float:
    (first, at_first), (last, at_last) = marks[0], marks[-1]
    return at_first + (value - first) / (last - first) * (at_last - at_first)


def test_the_keyboard_alone_is_enough(page: Page, server: Server) -> None:
    page.open(server.address)
    page.press(Keys.TAB)
    assert page.js("return document.activeElement.id") == "skip"
    page.press(Keys.ENTER)
    page.tab_to("#search")
    page.after(lambda: page.press("tracepath"))
    page.wait(lambda: len(rows(page)) == 1)
    page.tab_to(".row-link")
    page.after(lambda: page.press(Keys.ENTER))
    assert page.js("return document.activeElement.tagName") == "H1"
    page.tab_to(".events a:not([aria-current])")
    page.after(lambda: page.press(Keys.ENTER))
    assert page.one("#series").text == "path-mtu"
    page.tab_to("svg.plot")
    assert readouts(page, 2) == [
        "2021-03-01 00:02:00 UTC · 1,500 bytes",
        "2021-03-01 00:12:00 UTC · 9,000 bytes",
    ]
    outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_axes_have_round_marks_at_every_scale(page: Page, server: Server) -> None:
    page.open(server.address)
    spans = [5, 90, 3600, 86_400, 7 * 86_400, 30 * 86_400, 366 * 86_400, 40 * 366 * 86_400]
    for span in spans:
        ticks = page.js(
            """return import("./plot/axes.js").then((axes) =>
                axes.timeTicks(arguments[0], arguments[0] + arguments[1], 8))""",
            DAY + 12_345,
            span,
        )
        places = [tick["value"] for tick in ticks]
        assert 2 <= len(places) <= 9, span
        assert min(places) >= DAY + 12_345
        assert max(places) <= DAY + 12_345 + span
        # Days and longer begin at midnight, whatever else.
        assert span < 8 * 86_400 or all(place % 86_400 == 0 for place in places), span
        assert ticks[0]["below"] or span > 8 * 366 * 86_400
    for low, high in [(0, 1), (0, 9.9e9), (12.31, 12.34), (-3, 2), (0, 1e-5), (1e6, 1e6 + 7)]:
        ticks = page.js(
            """return import("./plot/axes.js").then((axes) =>
                axes.linearTicks(arguments[0], arguments[1], 6))""",
            low,
            high,
        )
        assert 3 <= len(ticks) <= 7, (low, high)
        assert len({tick["label"] for tick in ticks}) == len(ticks)
        for tick in ticks:
            assert float(tick["label"].replace(",", "")) == pytest.approx(tick["value"], abs=1e-12)


def test_gaps_are_gaps_and_long_ranges_are_summaries(page: Page, server: Server) -> None:
    page.open(server.address, measurement(DENSE_KEY, "packet-loss-rate", range="7d"))
    assert "points of base data: shown are aggregates over 1 h." in page.one(".drawing .note").text
    data = server.get(f"{DENSE_KEY}/packet-loss-rate/aggregations/3600")
    assert drawn(page) == [(each["ts"], each["val"]) for each in data]
    placed_right(page)
    # Three hours are missing: the line is in two pieces.
    assert page.js("return document.querySelector('.line').getAttribute('d')").count("M") == 2
    page.after(lambda: page.one("#data option[value=base]").click())
    page.wait(lambda: page.one(".what").text.startswith("3,960 points, base data"))
    path = page.js("return document.querySelector('.line').getAttribute('d')")
    assert path.count("M") == 2
    assert path.count("L") == 25 * 180 - 3 * 180 - 2
    page.after(page.chrome.back)
    assert page.one("#data").get_attribute("value") == ""


def test_a_range_of_time_is_in_the_address(page: Page, server: Server) -> None:
    page.open(server.address, measurement(DENSE_KEY, "packet-loss-rate"))
    page.after(lambda: page.one("button[data-range='1h']").click())
    assert "range=1h" in page.chrome.current_url
    newest = DAY + 25 * 3600 - 20
    assert [ts for ts, _ in drawn(page)] == list(range(newest - 3600, newest + 1, 20))
    for name, text in {"from": "2021-03-02 05:00:00", "to": "2021-03-02 09:10"}.items():
        box = page.one(f"#{name}")
        box.clear()
        box.send_keys(text)
    page.after(lambda: page.one(".between button").click())
    assert "from=2021-03-02T05:00:00Z&to=2021-03-02T09:10:00Z" in page.chrome.current_url
    hours = [ts - DAY for ts, _ in drawn(page)]
    assert hours == [*range(5 * 3600, 6 * 3600, 20), *range(9 * 3600, 9 * 3600 + 601, 20)]
    page.one("#to").clear()
    page.one("#to").send_keys("yesterday", Keys.ENTER)
    page.wait(lambda: "Write times as" in page.one(".field-error").text)
    page.after(page.chrome.back)
    assert page.one("button[aria-pressed=true]").text == "1 h"


def test_an_update_long_after_the_data_still_shows_the_data(page: Page, tmp_path: Path) -> None:
    late = web_data.traces()
    late["time-updated"] = {"packet-trace": DAY + 900 * 86400}
    fill(tmp_path / "late.db", [late])
    with serving(tmp_path / "late.db") as server:
        page.open(server.address, measurement(TRACE_KEY, "packet-trace"))
        assert "its newest data are of 2021-03-02 00:50:00 UTC" in page.text()
        assert len(page.all(".mark")) == 6
        page.open(
            server.address,
            measurement(TRACE_KEY, "packet-trace", **{"from": "2022-01-01", "to": "2022-01-02"}),
        )
        assert "No data in this range." in page.text()
        page.after(lambda: page.one(".empty a").click())
        assert len(page.all(".mark")) == 6


def test_delays_are_a_heat_map(page: Page, server: Server) -> None:
    page.open(server.address, measurement(DELAY_KEY, "histogram-owdelay", range="1h"))
    data = server.get(f"{DELAY_KEY}/histogram-owdelay/base")
    page.js("document.querySelector('svg.plot').focus()")
    said = readouts(page, len(data))
    for each, text in zip(data, said, strict=True):
        counts = {float(bucket): count for bucket, count in each["val"].items()}
        total = sum(counts.values())
        fullest = max(sorted(counts), key=lambda bucket: counts[bucket])
        assert f"{total} packets · min {min(counts):g} ms" in text
        assert f"{counts[fullest] / total * 100:.3g} % at {fullest:g} ms" in text
    most = max(count / sum(each["val"].values()) for each in data for count in each["val"].values())
    assert page.texts(".heat .marks span")[-1] == f"{most * 100:.2g} %"
    assert shades(page) == sorted(shades(page), reverse=True)
    assert len(set(shades(page))) > 3


def test_late_packets_do_not_squeeze_the_map(page: Page, server: Server) -> None:
    page.open(server.address, measurement(DENSE_KEY, "histogram-owdelay"))
    labels = page.texts(".axis-y text")
    assert "above" in labels
    assert 'The row "above" has all from 9.9 ms to 250 ms.' in page.text()
    page.one("#whole").click()
    page.ready()
    assert "buckets=all" in page.chrome.current_url
    labels = page.texts(".axis-y text")
    assert "above" not in labels
    assert "250" in labels
    assert page.js("return document.activeElement.id") == "whole"


def test_drawing_a_range_with_the_mouse_zooms_in(page: Page, server: Server) -> None:
    page.open(server.address, measurement(DENSE_KEY, "packet-loss-rate", range="24h"))
    before = page.chrome.current_url
    page.after(lambda: page.drag("svg.plot", 200, 400))
    zoomed = [ts for ts, _ in drawn(page)]
    assert 0 < len(zoomed) < 21 * 180 / 2
    parts = dict(part.split("=") for part in page.chrome.current_url.partition("#")[2].split("&"))
    begin, end = (datetime.fromisoformat(parts[name]).timestamp() for name in ("from", "to"))
    assert begin <= zoomed[0] < begin + 20
    assert end - 20 < zoomed[-1] <= end
    page.after(page.chrome.back)
    assert page.chrome.current_url == before


def shades(page: Page) -> list[float]:
    """Brightness of the cells of the first column, rarest bucket first"""
    return page.js("""
        const canvas = document.querySelector('canvas').cloneNode();
        const context = canvas.getContext('2d', { willReadFrequently: true });
        context.drawImage(document.querySelector('canvas'), 0, 0);
        let x = 0;
        const alpha = (x) => context.getImageData(x, canvas.height >> 1, 1, 1).data[3];
        while (x < canvas.width && !alpha(x)) x += 1;
        // Counts of the first histogram grow from the lowest of its four buckets upwards.
        return [7, 5, 3, 1].map((eighth) => {
            const y = Math.floor(canvas.height * eighth / 8);
            const [red, green, blue] = context.getImageData(x + 2, y, 1, 1).data;
            return red + green + blue;
        })""")


def test_statistics_are_three_lines(page: Page, server: Server) -> None:
    window = next(
        each["summary-window"]
        for each in server.get(f"{DELAY_KEY}/histogram-owdelay/statistics")
        if each["summary-window"] != "0"
    )
    page.open(
        server.address,
        measurement(DELAY_KEY, "histogram-owdelay", data=f"statistics/{window}", range="24h"),
    )
    assert page.texts(".legend li") == ["95th percentile", "median", "minimum"]
    data = server.get(f"{DELAY_KEY}/histogram-owdelay/statistics/{window}")
    fields = ("percentile-95", "median", "minimum")
    assert drawn(page) == [(each["ts"], each["val"][name]) for name in fields for each in data]


def test_traces_are_tables_of_hops_with_changes_marked(page: Page, server: Server) -> None:
    page.open(server.address, measurement(TRACE_KEY, "packet-trace"))
    assert "2 paths, 2 changes." in page.text()
    lanes = page.js("""return [...document.querySelectorAll('.mark')].map(
        (mark) => mark.getAttribute('class'))""")
    assert lanes == [f"mark series-{lane}" for lane in (0, 0, 0, 1, 1, 0)]
    # The newest first; its way is another one than that of the run before.
    assert page.one("#run-title").text == "Run 6 of 6: 2021-03-02 00:50:00 UTC"
    hops = page.texts(".run tbody tr")
    assert hops == [
        "1192.0.2.11.25 ms9000",
        "2192.0.2.22.5 ms9000changed, was 192.0.2.9",
        "3203.0.113.723.75 ms9000",
    ]
    assert page.texts(".run tr.changed td:nth-child(2)") == ["192.0.2.2"]
    changes = page.texts(".drawing section:not(.run) tbody tr")
    assert changes == [
        "2021-03-02 00:50:00B\u00a0→\u00a0Ahop 2: 192.0.2.9 → 192.0.2.2",
        "2021-03-02 00:30:00A\u00a0→\u00a0Bhop 2: 192.0.2.2 → 192.0.2.9",
    ]
    page.all(".drawing section:not(.run) button.link")[1].click()
    assert page.one("#run-title").text.startswith("Run 4 of 6")
    assert f"run={DAY + 1800}" in page.chrome.current_url
    page.js("document.querySelector('svg.plot').focus()")
    page.press(Keys.HOME, Keys.ARROW_RIGHT)
    assert page.texts(".run tr.silent") == ["2no answerrequestTimedOut"]


def test_runs_have_intervals(page: Page, server: Server) -> None:
    name = "throughput-subintervals"
    page.open(server.address, measurement(THROUGHPUT_KEY, name, run="1614556800"))
    data = server.get(f"{THROUGHPUT_KEY}/{name}/base")
    one = page.js("""return [...document.querySelectorAll('.run .series circle')].map(
        (point) => [Number(point.dataset.x), Number(point.dataset.y)])""")
    assert one == [[each["start"] + each["duration"] / 2, each["val"]] for each in data[0]["val"]]
    page.open(server.address, measurement(STREAMS_KEY, "streams-throughput"))
    streams = server.get(f"{STREAMS_KEY}/streams-throughput/base")
    expected = [(each["ts"], each["val"][index]) for index in range(4) for each in streams]
    assert drawn(page) == expected


def test_failures_are_marks_and_a_table(page: Page, server: Server) -> None:
    page.open(server.address, measurement(THROUGHPUT_KEY, "throughput"))
    assert len(page.all("path.failure")) == 3
    page.after(lambda: page.one(".note a").click())
    assert len(page.all(".mark")) == 3
    errors = page.texts(".drawing td:nth-child(2)")
    assert errors[-1] == "bwctl: unable to connect to server"
    assert errors[-2] == 'line one\nline two, with "quotes" and ; and é€'
    assert errors[0] == '{"no-error-key":1}'


def test_hostile_text_stays_text(page: Page, server: Server) -> None:
    page.open(server.address)
    assert web_data.SCRIPT in page.one(f"tr[data-key='{HOSTILE_KEY}']").text
    for event_type, text in {
        "failures": web_data.IMAGE,
        "packet-trace": web_data.SCRIPT,
        "pscheduler-raw": web_data.SCRIPT,
        "histogram-rtt": web_data.SCRIPT,
    }.items():
        page.after(lambda: page.go(measurement(HOSTILE_KEY, event_type)))  # noqa: B023
        for details in page.all("details:not([open]) > summary"):
            details.click()
        page.wait(lambda: page.all(".drawing table"))
        assert text in page.one(".drawing").text
        assert web_data.IMAGE in page.one("h1").text
        assert web_data.IMAGE in page.one(".parameter-list").text
        assert page.all("main script, main img, main [onerror]") == []
    assert page.js("return window.hacked === undefined")


def test_a_private_archive_asks_for_a_key(page: Page, tmp_path: Path) -> None:
    db = tmp_path / "private.db"
    fill(db, [web_data.traces()])
    key = run("archive", "user", "add", "reader", "--db", db).stdout.decode().strip()
    with serving(db, "--private") as server:
        page.chrome.get(f"{server.address}/{measurement(TRACE_KEY, 'packet-trace')}")
        page.wait(lambda: page.all("#key"))
        assert "reading needs an API key" in page.text()
        page.press("0" * 40, Keys.ENTER)
        page.wait(lambda: "The key was refused: Invalid token." in page.text())
        page.press(key, Keys.ENTER)
        page.wait(lambda: page.all(".mark"))
        assert key not in page.chrome.current_url
        page.chrome.refresh()
        page.wait(lambda: page.all(".mark"))
        kept = page.js("return [Object.values(sessionStorage), Object.values(localStorage)]")
        assert kept == [[key], []]
        # A link carries no key: the page fetches the file.
        page.save_to(tmp_path)
        page.one(".json-link").click()
        saved = tmp_path / "points.json"
        # The name is there before what is in it.
        page.wait(lambda: saved.exists() and saved.stat().st_size)
        assert json.loads(saved.read_text()) == server.get(f"{TRACE_KEY}/packet-trace/base", key)
        page.after(lambda: page.one(".back a").click())
        assert rows(page) == [TRACE_KEY]
    # The browser notes each 401; there is nothing else.
    assert [each for each in page.complaints() if "401" not in each] == []


def test_a_dead_archive_is_one_clear_line(page: Page, tmp_path: Path) -> None:
    db = tmp_path / "dead.db"
    fill(db, [web_data.traces()])
    with serving(db) as server:
        page.open(server.address, "#key=nonesuch")
        page.wait(lambda: page.one("#error").text == "The archive refused (404): Not found.")
        page.after(lambda: page.one(".back a").click())
        assert page.js("return document.getElementById('error').hidden")
        server.stop()
        page.one(f"tr[data-key='{TRACE_KEY}'] .row-link").click()
        page.wait(lambda: "The archive cannot be reached" in page.one("#error").text)
    noise = ("404", "ERR_CONNECTION")
    assert [each for each in page.complaints() if not any(word in each for word in noise)] == []


#: Text that is seen, its colour and what is behind it; and lines that carry meaning
COLOURS = """
const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgb = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
};
const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
        const colour = rgb(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
    }
    return rgb(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '#000' : '#fff');
};
const found = [];
for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isInput = element.matches('input, select');
    const isLine = element.matches('.series .line, .mark, .failure');
    if (!element.checkVisibility() || !(own || isInput || isLine)) continue;
    // What cannot be used now may be fainter.
    if (element.disabled || element.closest('.off, option, .sr-only')) continue;
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const colour = element.matches('.line') ? style.stroke : isSvg ? style.fill : style.color;
    found.push([element.outerHTML.slice(0, 90), rgb(colour), behind(element), isLine]);
}
return found"""


def contrast(one: list[int], other: list[int]) -> float:
    """As WCAG 2 defines it"""

    def brightness(colour: list[int]) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (channel / 255 for channel in colour[:3])
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([brightness(one), brightness(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    "view",
    [
        "",
        "#q=nonesuch",
        measurement(THROUGHPUT_KEY, "throughput"),
        measurement(DELAY_KEY, "histogram-owdelay"),
        measurement(TRACE_KEY, "packet-trace"),
        measurement(STREAMS_KEY, "streams-throughput"),
    ],
    ids=["list", "nothing", "line", "heat", "trace", "lines"],
)
def test_text_and_lines_can_be_read_in_both_themes(page: Page, server: Server, view: str) -> None:
    page.open(server.address, view)
    seen = []
    for theme in ("light", "dark"):
        page.prefer(theme)
        colours = page.js(COLOURS)
        assert len(colours) > 15
        faint = [
            (what, round(contrast(colour, behind), 2))
            for what, colour, behind, is_line in colours
            if contrast(colour, behind) < (3 if is_line else 4.5)
        ]
        assert faint == [], theme
        seen.append([colour for _, colour, _, _ in colours])
    assert seen[0] != seen[1]


def test_the_theme_can_be_chosen_and_is_kept(page: Page, server: Server) -> None:
    def brightness() -> int:
        colour = page.js("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    page.open(server.address, measurement(DELAY_KEY, "histogram-owdelay"))
    light, cells = brightness(), page.js("return document.querySelector('canvas').toDataURL()")
    page.one("#theme option[value=dark]").click()
    dark = brightness()
    assert dark < 200 < 600 < light
    # The heat map is painted, not styled: it has to follow.
    assert page.js("return document.querySelector('canvas').toDataURL()") != cells
    page.chrome.refresh()
    page.ready()
    assert brightness() == dark
    page.one("#theme option[value=auto]").click()
    assert brightness() == light


#: Whatever sticks out to the right, unless it can be scrolled to in its own box
WIDE = """return [...document.querySelectorAll('body *')].filter((each) => each.checkVisibility()
    && !each.closest('.scroller, .sr-only') && each.getBoundingClientRect().right > innerWidth + 1
).map((each) => each.outerHTML)"""


def test_it_fits_narrow_screens(page: Page, server: Server) -> None:
    page.open(server.address)
    for view in (
        "#q=iperf3",
        measurement(DELAY_KEY, "histogram-owdelay"),
        measurement(TRACE_KEY, "packet-trace"),
    ):
        page.after(lambda: page.go(view))  # noqa: B023
        for width in (400, 700, 940, 1120):
            page.resize(width, 800)
            assert page.js(WIDE) == [], width
            assert page.js("return document.documentElement.scrollWidth") <= width


def test_nothing_is_asked_of_others(page: Page, server: Server) -> None:
    page.requests()
    page.open(server.address)
    page.after(lambda: page.one(f"tr[data-key='{DELAY_KEY}'] .row-link").click())
    for index in range(len(page.all(".events a"))):
        link = page.all(".events a")[index]
        if link.get_attribute("aria-current") is None:
            page.after(link.click)
    asked = [url for url in page.requests() if not url.startswith(("about:", "data:"))]
    assert len(asked) > 30
    assert [url for url in asked if not url.startswith(f"{server.address}/")] == []
