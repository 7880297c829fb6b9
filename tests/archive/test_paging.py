"""Pages of metadata and of data, and the links between them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.archive.client import Answer, Client, with_summaries

MANY = 1600
PAGING = ("metadata-count-total", "metadata-previous-page", "metadata-next-page")


@pytest.fixture(scope="module")
def keys(archive: Client) -> list[str]:
    """1,600 metadata, in the order in which they are listed"""
    return sorted(archive.key_of("failures", tool_name="pager") for _ in range(MANY))


def page(archive: Client, **query: object) -> str:
    """Address of a page, parameters in alphabetical order"""
    return f"{archive.origin}{archive.root}?{urlencode(sorted(query.items()))}"


def ask(archive: Client, **query: object) -> Answer:
    answer = archive.send("GET", query={"tool-name": "pager", **query})
    assert answer.status == 200
    return answer


def keys_of(answer: Answer) -> list[str]:
    return [metadata["metadata-key"] for metadata in answer.json()]


def test_1600_metadata_without_limit(archive: Client, keys: list[str]) -> None:
    first = ask(archive)
    following = page(archive, limit=1500, offset=1500, **{"tool-name": "pager"})
    assert keys_of(first) == keys[:1500]
    assert first.links == {"next": following}
    assert first.headers["Link"] == f'<{following}>; rel="next"'
    head = first.json()[0]
    assert list(head)[-3:] == list(PAGING)
    assert [head[name] for name in PAGING] == [MANY, None, following]

    second = archive.send("GET", following.removeprefix(archive.origin))
    previous = page(archive, limit=1500, **{"tool-name": "pager"})
    assert second.links == {"prev": previous}
    assert keys_of(second) == keys[1500:]
    assert [second.json()[0][name] for name in PAGING] == [MANY, previous, None]

    assert keys_of(ask(archive, offset=1500)) == keys[1500:]
    assert ask(archive, offset=1500).links == {"prev": previous}


def test_only_the_first_element_has_the_totals(archive: Client, keys: list[str]) -> None:
    for offset in (0, 700):
        first, *others = ask(archive, limit=3, offset=offset).json()
        assert set(PAGING) < set(first)
        assert not any(set(PAGING) & set(other) for other in others)
    assert not set(PAGING) & set(archive.get(f"{keys[0]}/").json())


def test_both_links(archive: Client, keys: list[str]) -> None:
    answer = ask(archive, limit=100, offset=500)
    name = {"tool-name": "pager"}
    links = {
        "next": page(archive, limit=100, offset=600, **name),
        "prev": page(archive, limit=100, offset=400, **name),
    }
    assert answer.links == links
    header = ", ".join(f'<{address}>; rel="{relation}"' for relation, address in links.items())
    assert answer.headers["Link"] == header
    # The first page has no offset.
    for offset in (100, 40):
        assert ask(archive, limit=100, offset=offset).links["prev"] == page(
            archive, limit=100, **name
        )


@pytest.mark.parametrize(("limit", "pages"), [(400, 4), (401, 4), (5000, 1), (1600, 1), (1599, 2)])
def test_following_the_links(archive: Client, keys: list[str], limit: int, pages: int) -> None:
    answer, collected, count = ask(archive, limit=limit), [], 1
    collected += keys_of(answer)
    while following := answer.json()[0]["metadata-next-page"]:
        assert answer.links["next"] == following
        answer = archive.send("GET", following.removeprefix(archive.origin))
        collected += keys_of(answer)
        count += 1
    assert "next" not in answer.links
    assert collected == keys
    assert count == pages


@pytest.mark.parametrize("word", ["0", "-1", "x", "", "1.5", "1e3", "None"])
def test_words_that_are_no_limit_or_offset(archive: Client, keys: list[str], word: str) -> None:
    limited = ask(archive, limit=word)
    assert keys_of(limited) == keys[:1500]
    assert limited.links["next"] == page(archive, limit=1500, offset=1500, **{"tool-name": "pager"})
    first = ask(archive, offset=word, limit=2)
    assert keys_of(first) == keys[:2]
    assert first.links == {"next": page(archive, limit=2, offset=2, **{"tool-name": "pager"})}


def test_limits_have_a_ceiling(archive: Client, keys: list[str]) -> None:
    assert len(keys_of(ask(archive, limit=10_000))) == MANY
    for limit in (10_001, 10**6, 10**30):
        answer = archive.get(tool_name="pager", limit=limit)
        assert answer.status == 400
        assert answer.detail


@pytest.mark.parametrize("offset", [MANY, MANY + 1, 10**6])
def test_past_the_end(archive: Client, keys: list[str], offset: int) -> None:
    answer = ask(archive, offset=offset, limit=100)
    assert answer.json() == []
    assert set(answer.links) == {"prev"}


def test_nothing_found(archive: Client) -> None:
    answer = archive.get(tool_name="nobody")
    assert answer.json() == []
    assert answer.headers["Link"] is None


#: As many points as make the original client ask four times
POINTS = [(1600000000 + 10 * number, float(number)) for number in range(3200)]


@pytest.fixture(scope="module")
def path(archive: Client) -> str:
    key = archive.key_of(with_summaries("throughput", ("average", 10)))
    points = [("throughput", ts, value) for ts, value in POINTS]
    assert archive.put(key, *points).status == 201
    return f"{key}/throughput/base"


def points_of(answer: Answer) -> list[tuple[int, float]]:
    assert answer.status == 200
    return [(point["ts"], point["val"]) for point in answer.json()]


def test_data_without_limit(archive: Client, path: str) -> None:
    answer = archive.get(path)
    assert points_of(answer) == POINTS[:1500]
    following = f"{archive.origin}{archive.root}{path}?limit=1500&offset=1500"
    assert answer.links == {"next": following}
    second = archive.send("GET", following.removeprefix(archive.origin))
    assert points_of(second) == POINTS[1500:3000]
    assert second.links == {
        "next": f"{archive.origin}{archive.root}{path}?limit=1500&offset=3000",
        "prev": f"{archive.origin}{archive.root}{path}?limit=1500",
    }


@pytest.mark.parametrize(
    ("limit", "pages"), [(1000, 4), (1600, 2), (3199, 2), (3200, 1), (9999, 1)]
)
@pytest.mark.parametrize("summary", ["base", "averages/10"])
def test_following_the_links_of_data(
    archive: Client, path: str, summary: str, limit: int, pages: int
) -> None:
    """With a limit too, where esmond forgot the next link (S-11)"""
    answer, count = archive.get(path.replace("base", summary), limit=limit), 1
    collected = points_of(answer)
    while "next" in answer.links:
        answer = archive.send("GET", answer.links["next"].removeprefix(archive.origin))
        collected += points_of(answer)
        count += 1
    assert (collected, count) == (POINTS, pages)


def test_data_links_keep_the_time_window(archive: Client, path: str) -> None:
    end = POINTS[49][0]
    answer = archive.get(path, time_end=end, limit=25)
    query = f"limit=25&offset=25&time-end={end}"
    assert answer.links == {"next": f"{archive.origin}{archive.root}{path}?{query}"}
    assert points_of(answer) == POINTS[:25]
    assert archive.get(path, time_end=end, limit=25, offset=25).links.keys() == {"prev"}


def test_data_pages(archive: Client, path: str) -> None:
    assert points_of(archive.get(path, limit=1000, offset=1000)) == POINTS[1000:2000]
    assert points_of(archive.get(path, limit=1, offset=3199)) == POINTS[3199:]
    assert points_of(archive.get(path, offset=3200)) == []
    assert points_of(archive.get(path, limit=0)) == []
    assert points_of(archive.get(path, limit=100_000)) == POINTS


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("word", ["-1", "x", "", "1.5", "1e3"])
def test_words_that_are_no_limit_or_offset_of_data(
    archive: Client, path: str, name: str, word: str
) -> None:
    answer = archive.get(path, **{name: word})
    assert answer.status == 400
    assert answer.detail


def test_data_limits_have_a_ceiling(archive: Client, path: str) -> None:
    for limit in (100_001, 2**63, "9" * 5000):
        answer = archive.get(path, limit=limit)
        assert answer.status == 400
        assert answer.detail


@pytest.mark.parametrize("offset", [10**9, 2**63, 10**30])
def test_offsets_beyond_all_data(archive: Client, path: str, offset: int) -> None:
    assert archive.get(path, offset=offset).json() == []
    assert ask(archive, offset=offset).json() == []
