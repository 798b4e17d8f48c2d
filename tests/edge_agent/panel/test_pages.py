"""Each page for each role: who sees what, what is masked, what may run in it, and how a question is settled by two."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.proof import Wanted, rows
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import Place
from edge_agent.panel.build import API
from edge_agent.panel.gate import Open, declared
from edge_agent.panel.limits import MAX_BODY
from edge_agent.people.roles import MAY, Right, Role
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Answer, Panel
from tests.edge_agent.panel.lines import FakeLines
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.staged import ORDER
from tests.edge_agent.parts import ACTS, DEVICE, Book, Json
from tests.edge_agent.people.desk import GOOD, quick

CABINET = "cabinet-1"
SETTLE = f"/orders/{ORDER}/settle"
CUSTOMER = "KH-3310-7742"


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    places = (Place(DEVICE, "card-dispenser", ACTS), Place(CABINET, "token-cabinet", {}, cells={"A01": True}))
    async with Book(tmp_path, places=places) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "watching", FakeLines().watching)
        await book.submit(ORDER, customer=CUSTOMER, parameters={"receipt": False})
        await staged.doubt(book)
        await book.submit("D-2", customer="KH-9", parameters={"receipt": False})
        yield panel


def text(answer: Answer) -> str:
    """What a person reads, without the markup."""
    main = answer.body.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def settled(**more: object) -> Json:
    form: Json = {"step": "draw", "attempt": f"{ORDER}/draw/1", "choice": "no_effect", "password": GOOD}
    return form | more


TWO = {"second_name": "hall_manager", "second_password": GOOD}
PAGES = {
    ("GET", "/"): Right.SEE,
    ("GET", "/orders"): Right.SEE,
    ("GET", "/orders/{order}"): Right.SEE,
    ("GET", "/orders/{order}/settle"): Right.RESOLVE,
    ("POST", "/orders/{order}/settle"): Right.RESOLVE,
    ("POST", "/orders/{order}/{verb}"): Right.ORDERS,
    ("GET", "/machines"): Right.SEE,
    ("GET", "/machines/{device}"): Right.SEE,
    ("GET", "/machines/{device}/load"): Right.STOCK,
    ("POST", "/machines/{device}/load"): Right.STOCK,
    ("GET", "/machines/{device}/exercise"): Right.SERVICE,
    ("POST", "/machines/{device}/exercise"): Right.SERVICE,
    ("POST", "/machines/{device}/look"): Right.RESOLVE,
    ("GET", "/machines/{device}/tap"): Right.SERVICE,
    ("GET", "/machines/{device}/tap/events"): Right.SERVICE,  # it does not end: see test_tapping
    ("GET", "/clock"): Right.VOUCH,
    ("POST", "/clock"): Right.VOUCH,
    ("GET", "/adopt"): Right.VOUCH,
    ("POST", "/adopt"): Right.VOUCH,
    ("GET", "/audit"): Right.AUDIT,
    ("GET", "/people"): Right.PEOPLE,
    ("POST", "/people"): Right.PEOPLE,
    ("GET", "/sign-in"): Open.NOBODY,
    ("POST", "/sign-in"): Open.NOBODY,
    ("POST", "/sign-out"): Open.ANYBODY,
    ("GET", "/static/{name}"): Open.NOBODY,
    ("GET", "/wall"): Right.WALL,
    ("GET", "/wall/events"): Right.WALL,
    ("POST", "/wall"): Open.NOBODY,
}
SHOWN = [
    path
    for (method, path), needs in PAGES.items()
    if method == "GET" and isinstance(needs, Right) and needs is not Right.WALL and not path.endswith("/events")
]


def address(path: str) -> str:
    more = "?choice=no_effect" if path.endswith("settle") else ""
    return path.format(order=ORDER, device=CABINET if path.endswith("load") else DEVICE, verb="hold") + more


async def test_every_page_declares_what_it_needs_and_this_list_knows_each(panel: Panel) -> None:
    found = {key: needs for key, needs in declared(panel.inner).items() if not key[1].startswith(API)}
    assert found == {key: needs.value for key, needs in PAGES.items()}


@pytest.mark.parametrize("who", [*Role, None])
async def test_each_role_at_each_page(panel: Panel, who: Role | None) -> None:
    browser = await Browser.of(panel, who.value if who else "")
    for path in SHOWN:
        answer = await browser.get(address(path))
        needs = PAGES["GET", path]
        assert isinstance(needs, Right)
        if who is None:
            assert (answer.status, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), path
        elif needs in MAY[who]:
            assert answer.status == 200, (path, text(answer))
        else:
            assert answer.status == 403, path
            assert "您的角色无此权限" in text(answer)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_page_runs_nothing_foreign_and_speaks_one_language(panel: Panel, lang: str) -> None:
    browser = await Browser.of(panel, "supervisor")
    await browser.get(f"/?lang={lang}")
    for path in (*SHOWN, "/sign-in", "/orders/nobody", "/machines/none", "/static/none"):
        _check_page(path, lang, await browser.get(address(path)))


def _check_page(path: str, lang: str, answer: Answer) -> None:
    html = answer.body.decode()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["x-frame-options"], answer.headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", html)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", html)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in html
    chinese = re.search(r"[\u4e00-\u9fff]+", text(answer))
    assert (chinese is not None) == (lang == "zh"), (path, chinese)


async def test_static_files_come_from_memory_alone(panel: Panel) -> None:
    browser = await Browser.of(panel)
    styles = re.findall(r'(?:href|src)="(/static/[^"]+)"', (await browser.get("/sign-in")).body.decode())
    assert len(styles) == 2
    for one in styles:
        assert (await browser.get(one)).status == 200
    for one in ("/static/..%2f__init__.py", "/static/site.py", "/static/%2fetc%2fpasswd"):
        assert (await browser.get(one)).status == 404


# -- signing in --------------------------------------------------------------------------------------------------------


async def test_signing_in_leads_on_to_a_page_of_ours_alone(panel: Panel) -> None:
    for wished, led in (
        ("/orders", "/orders"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
    ):
        answer = await (await Browser.of(panel)).form("/sign-in", name="teller", password=GOOD, next=wished)
        assert (answer.status, answer.headers["location"]) == (303, led)


async def test_a_wrong_password_is_told_in_words_and_not_repeated(panel: Panel) -> None:
    browser = await Browser.of(panel)
    answer = await browser.form("/sign-in", name="<b>teller", password="planted secret")
    assert answer.status == 401
    assert "名称或密码错误" in text(answer)
    assert "planted secret" not in answer.body.decode()
    assert "<b>teller" not in answer.body.decode()


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
async def test_nobody_is_signed_in_by_another_page(panel: Panel, headers: dict[str, str]) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    browser = await Browser.of(panel)
    answer = await browser._ask("POST", "/sign-in", f"name=teller&password={GOOD}".encode(), {**kind, **headers})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


async def test_a_form_of_any_size_is_refused_and_fills_no_log(panel: Panel, caplog: pytest.LogCaptureFixture) -> None:
    answer = await (await Browser.of(panel)).form("/sign-in", name="x" * MAX_BODY, password=GOOD)
    assert answer.status == 413
    assert caplog.messages == []


async def test_signing_out_ends_the_session(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    cookies = dict(browser.cookies)
    assert (await browser.send("/sign-out")).status == 303
    browser.cookies = cookies
    assert (await browser.get("/")).status == 303


CHANGES = [path for (method, path), needs in PAGES.items() if method == "POST" and needs is not Open.NOBODY]


@pytest.mark.parametrize("path", CHANGES)
async def test_what_changes_something_needs_the_csrf_token(panel: Panel, path: str) -> None:
    browser = await Browser.of(panel, "supervisor")
    browser.csrf = "wrong"
    answer = await browser.send(address(path), **settled(**TWO))
    assert answer.status == 403
    assert "此请求并非来自本页面" in text(answer)
    assert not panel.people.book.order(ORDER).held
    assert (await browser.get("/")).status == 200


# -- Now and orders ----------------------------------------------------------------------------------------------------


async def test_now_shows_the_question_its_cause_and_its_choices(panel: Panel) -> None:
    answer = await (await Browser.of(panel, "teller")).get("/")
    html, words = answer.body.decode(), text(answer)
    assert "从卡箱取卡 · 无应答" in words
    for choice in ("done", "no_effect", "failed", "capture"):
        assert f'href="/orders/{ORDER}/settle?choice={choice}&amp;attempt={ORDER}/draw/1"' in html
    assert "D-2" in words.split("进行与等待")[1]
    assert "settle?choice" not in (await (await Browser.of(panel, "auditor")).get("/")).body.decode()


async def test_an_order_is_found_by_its_customer_only_by_those_who_serve(panel: Panel) -> None:
    for who, sees in (("teller", True), ("engineer", False), ("auditor", False)):
        browser = await Browser.of(panel, who)
        assert (ORDER in text(await browser.get(f"/orders?q={CUSTOMER}"))) is sees
        for page in ("/orders", f"/orders/{ORDER}"):
            assert (CUSTOMER in (await browser.get(page)).body.decode()) is sees, (who, page)


async def test_what_orders_and_people_are_called_is_never_markup(panel: Panel) -> None:
    book = panel.people.book
    await book.submit("D-3", customer="<script>alert(1)</script>")
    for page in ("/orders", "/orders/D-3", "/orders?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        assert b"<script>alert" not in (await (await Browser.of(panel, "teller")).get(page)).body


async def test_the_timeline_tells_in_the_journals_order_with_what_each_wait_took(panel: Panel) -> None:
    html = (await (await Browser.of(panel, "teller")).get(f"/orders/{ORDER}")).body.decode()
    story = html.split('<ol class="story">')[1].split("</ol>")[0]
    seqs = [int(one) for one in re.findall(r'<span class="seq">(\d+)</span></span>', story)]
    assert seqs == sorted(seqs)
    assert len(seqs) == 6
    assert "存疑" in story
    assert "历时" in story
    assert f"{ORDER}/draw/1" in html.split('id="attempts"')[1]


@pytest.mark.parametrize(
    ("lang", "scene", "parameter", "act"),
    [("zh", "领卡", "打印回单", "从卡箱取卡"), ("en", "Collect a card", "Print the receipt", "draw")],
)
async def test_scenes_parameters_and_steps_are_called_by_their_titles(
    panel: Panel, lang: str, scene: str, parameter: str, act: str
) -> None:
    browser = await Browser.of(panel, "teller")
    for address in ("/", "/orders", f"/orders/{ORDER}", f"{SETTLE}?choice=no_effect"):
        shown = text(await browser.get(f"{address}{'&' if '?' in address else '?'}lang={lang}"))
        assert scene in shown, address
        assert "collect_card" not in shown, address
    shown = text(await browser.get(f"/orders/{ORDER}?lang={lang}"))
    assert parameter in shown
    assert {"zh": "打印回单：本单不需要", "en": "without print a receipt: not wanted"}[lang] in shown, (
        "the step that was left out"
    )
    assert act in shown
    assert f"<dt>{parameter}</dt>" in (await browser.get(f"/orders/{ORDER}?lang={lang}")).body.decode()


async def test_what_nobody_titled_is_called_by_its_name(panel: Panel) -> None:
    recipe = {"scene": {"title": {"zh": "<b>领卡</b>"}}, "parameters": {"receipt": {}}, "step": [{"name": "draw"}]}
    await panel.people.book.alter("UPDATE forms SET body = ?", json.dumps(recipe))
    browser = await Browser.of(panel, "teller")
    page = (await browser.get(f"/orders/{ORDER}")).body.decode()
    assert "&lt;b&gt;领卡&lt;/b&gt;" in page
    assert "<dt>receipt</dt>" in page
    await panel.people.book.alter("UPDATE forms SET body = '{}'")
    assert "collect_card" in text(await browser.get("/orders"))


async def test_a_step_with_a_title_of_its_own_is_called_by_it(panel: Panel) -> None:
    def titled(tx: Tx) -> None:
        row = tx.one("SELECT f.n, f.body FROM forms f JOIN orders o ON o.recipe_form = f.n WHERE o.id = ?", ORDER)
        assert row is not None
        recipe = json.loads(row["body"])
        recipe["step"][0]["title"] = {"zh": "取出新卡", "en": "Take a new card"}
        tx.do("UPDATE forms SET body = ? WHERE n = ?", json.dumps(recipe), row["n"])
        tx.forget_rows()

    await panel.people.book.do(titled)
    browser = await Browser.of(panel, "teller")
    for address in ("/", f"/orders/{ORDER}", f"{SETTLE}?choice=no_effect"):
        assert "取出新卡" in text(await browser.get(address)), address
    told = await browser.send(SETTLE, **settled(**TWO))
    assert "取出新卡" in text(told)


async def test_a_digest_is_shown_by_its_beginning_and_whole_in_its_details(panel: Panel) -> None:
    digest = "ab12" * 16
    members = {"attempt": f"{ORDER}/draw/1", "order": ORDER, "step": "draw", "act": "draw_card", "from": "acting"}
    told = {**members, "to": "in_doubt", "device": DEVICE, "item": "unknown", "facts": {"sheet": digest}}
    book = panel.people.book
    await book.do(lambda tx: tx.emit("branchgate.step.changed.v1", ORDER, told, book.order(ORDER).n))
    page = (await (await Browser.of(panel, "teller")).get(f"/orders/{ORDER}")).body.decode()
    assert f'<details class="whole"><summary>{digest[:12]}…</summary>{digest}</details>' in page
    assert page.count(digest) == 1


async def test_machines_show_their_last_readings_and_media_only_where_there_are_any(panel: Panel) -> None:
    object.__setattr__(panel.house, "twins", lambda: staged.twins("shut"))
    object.__setattr__(panel.house, "readings", staged.readings)
    browser = await Browser.of(panel, "teller")
    for address in ("/machines", "/machines/door-1"):
        shown = text(await browser.get(address))
        assert re.search(r"进入 4211 人次 \+3 12 s 前", shown), shown
        assert re.search(r"离开 4198 人次 12 s 前", shown)
    assert "介质" in text(await browser.get(f"/machines/{DEVICE}"))
    assert "介质" not in text(await browser.get("/machines/door-1"))


async def test_a_story_longer_than_a_page_is_paged(panel: Panel) -> None:
    for n in range(60):
        await panel.people.book.submit(f"P-{n:02}")
    browser = await Browser.of(panel, "teller")
    first = await browser.get("/orders?which=open")
    older = re.search(r'href="(/orders\?[^"]*before=\d+)"', first.body.decode())
    assert older
    second = text(await browser.get(older[1].replace("&amp;", "&")))
    assert ORDER in second
    assert "P-59" in text(first)
    assert "P-59" not in second


async def test_an_order_is_held_and_goes_on(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    assert "已暂停" in text(await browser.send("/orders/D-2/hold"))
    assert panel.people.book.order("D-2").held
    assert "已恢复" in text(await browser.send("/orders/D-2/release"))
    assert (await browser.send("/orders/D-2/burn")).status == 404
    refused = await browser.send("/orders/none/hold")
    assert (refused.status, "本网点没有订单“none”" in text(refused)) == (409, True)


# -- settling (ORD-6) --------------------------------------------------------------------------------------------------


async def test_two_people_settle_with_their_own_passwords(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    form = await browser.get(f"{SETTLE}?choice=no_effect")
    assert 'name="second_password"' in form.body.decode()
    assert "第一人：" in text(form)
    answer = await browser.send(SETTLE, **settled(**TWO))
    assert answer.status == 200
    assert "teller、hall_manager 已决定" in text(answer)
    assert "订单现为" in text(answer)
    event = panel.people.book.events("step.changed", order=ORDER)[-1]["data"]
    assert (event["by"], event["authenticated"]) == (["/people/teller", "/people/hall_manager"], True)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "此裁定将让订单继续：须由两名不同人员决定"),
        ({"second_name": "teller", "second_password": GOOD}, "须由两名不同人员决定"),
        ({"second_name": "/people/TELLER ", "second_password": GOOD}, "须由两名不同人员决定"),
        ({"second_name": "hall_manager", "second_password": "not this one"}, "名称或密码错误"),
        ({"second_name": "nobody", "second_password": GOOD}, "名称或密码错误"),
        ({"second_name": "auditor", "second_password": GOOD}, "无此权限"),
        ({**TWO, "password": "not this one"}, "名称或密码错误"),
    ],
)
async def test_fewer_than_two_settle_nothing(panel: Panel, more: Json, told: str) -> None:
    browser = await Browser.of(panel, "teller")
    answer = await browser.send(SETTLE, **settled(**more))
    assert answer.status in (403, 409)
    assert told in text(answer)
    assert panel.people.book.order(ORDER).state == "needs_attention"


async def test_one_person_settles_what_makes_safe(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    form = await browser.get(f"{SETTLE}?choice=failed")
    assert 'name="second_password"' not in form.body.decode()
    assert "本人：" in text(form), "nobody looks for a second where one is enough"
    assert "第一人" not in text(form)
    answer = await browser.send(SETTLE, **settled(choice="failed"))
    assert (answer.status, "teller 已决定" in text(answer)) == (200, True)
    assert panel.people.book.order(ORDER).state == "failed"


async def test_one_of_two_may_wait_for_the_centre_and_another_here_completes_it(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    answer = await browser.send(SETTLE, **settled(second_at_centre=True))
    assert "已记录第一人的决定" in text(answer)
    assert panel.people.book.order(ORDER).state == "needs_attention"
    assert "teller 已选" in text(await browser.get("/"))
    other = await Browser.of(panel, "hall_manager")
    form = await other.get(f"{SETTLE}?choice=no_effect")
    assert "teller 已作同样决定" in text(form)
    assert 'name="second_password"' not in form.body.decode()
    assert "已了结" in text(await other.send(SETTLE, **settled()))


async def test_a_stale_question_says_so_and_changes_nothing(panel: Panel) -> None:
    first, second = await Browser.of(panel, "teller"), await Browser.of(panel, "supervisor")
    assert (await first.send(SETTLE, **settled(**TWO))).status == 200
    seq = panel.people.book.look(lambda tx: tx.last_seq())
    for answer in (
        await second.send(SETTLE, **settled(**TWO)),
        await second.get(f"{SETTLE}?choice=no_effect&attempt={ORDER}/draw/1"),
    ):
        assert answer.status == 409
        assert "这一问题已不再等待决定" in text(answer)
    assert panel.people.book.look(lambda tx: tx.last_seq()) == seq


async def test_no_password_comes_back(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    planted = "planted secret"
    answers = [
        await browser.send(SETTLE, **settled(password=planted, second_name="x", second_password=planted)),
        await browser.send(SETTLE, **settled(choice=planted)),
        await browser.send(SETTLE, **settled(more=planted)),
    ]
    assert all(planted not in answer.body.decode() for answer in answers)


# -- audit and people --------------------------------------------------------------------------------------------------


async def test_the_audit_shows_rows_and_what_the_chain_comes_to(panel: Panel) -> None:
    browser = await Browser.of(panel, "auditor")
    assert "session.begin" in text(await browser.get("/audit?act=session"))
    assert "审计链完整" in text(await browser.get("/audit?prove=1"))
    await panel.people.book.do(lambda tx: tx.do("UPDATE audit SET act = 'nothing' WHERE seq = 2"))
    words = text(await browser.get("/audit?prove=1"))
    assert "审计链不完整" in words
    assert "audit 2" in words


async def test_people_are_added_changed_and_unlocked_by_a_password_in_that_moment(panel: Panel) -> None:
    browser, staff = await Browser.of(panel, "supervisor"), panel.people.staff
    wish = {"name": "zhang", "own": GOOD}
    answer = await browser.send("/people", wish="add", role="teller", password="another horse", display="张", **wish)
    assert answer.status == 200, text(answer)
    assert "张" in text(await browser.get("/people"))
    await browser.send("/people", wish="role", role="engineer", **wish)
    assert staff.register.get("zhang").role is Role.ENGINEER
    await browser.send("/people", wish="disable", **wish)
    assert staff.register.get("zhang").disabled
    await browser.send("/people", wish="enable", **wish)
    for _ in range(2):
        await panel.people.enters("zhang", "wrong one")
    assert staff.sign_in.failures("zhang") == 2
    await browser.send("/people", wish="unlock", **wish)
    assert staff.sign_in.failures("zhang") == 0
    acts = [row["act"] for row in rows(panel.people.book.folder, Wanted(what="/people/zhang"))]
    assert [act for act in acts if act.startswith("people.")] == [
        "people.add",
        "people.role",
        "people.disable",
        "people.enable",
        "people.unlock",
    ]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"own": "not this one"}, "名称或密码错误"),
        ({"name": "teller"}, "已存在"),
        ({"password": "short"}, "密码须为"),
        ({"name": "A B"}, "不能作为名称"),
    ],
)
async def test_what_is_refused_about_people_is_told(panel: Panel, wish: Json, told: str) -> None:
    browser = await Browser.of(panel, "supervisor")
    form = {"wish": "add", "name": "zhang", "own": GOOD, "role": "teller", "password": "another horse", **wish}
    answer = await browser.send("/people", **form)
    assert answer.status in (403, 422)
    assert told in text(answer)
    assert "zhang" not in panel.people.staff.register.people


async def test_a_full_disk_is_told_on_the_page(panel: Panel) -> None:
    browser = await Browser.of(panel, "supervisor")
    panel.people.book.disk.full = True
    wish = {"wish": "disable", "name": "teller", "own": GOOD}
    for where, form in ((SETTLE, settled(**TWO)), ("/people", wish), ("/orders/D-2/hold", {})):
        answer = await browser.send(where, **form)
        assert (answer.status, "日志库现在不能读写" in text(answer)) == (503, True)
    panel.people.book.disk.full = False


async def test_a_journal_that_cannot_be_read_is_told_on_the_page(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await Browser.of(panel, "supervisor")

    async def broken(_: object) -> None:
        raise StoreFailed("an unreadable page")

    monkeypatch.setattr(panel.house.journal, "read", broken)
    for path in SHOWN:
        answer = await browser.get(address(path))
        assert (answer.status, "日志库现在不能读写" in text(answer)) == (503, True), path
