import pytest
from survey.models import Branch
@pytest.mark.django_db(transaction=True)
def test_look(open_page, settings):
    settings.MINIMUM_FILL_SECONDS = 0
    Branch.objects.create(code="sh01", name="人民广场店", name_en="People's Square")
    p = open_page("/s/sh01")
    p.screenshot(path="/tmp/l1.png", full_page=True)
    p = open_page("/s/sh01?lang=en", dark=True)
    p.check("#id_satisfaction_1"); p.check("#id_problems_2") ; p.click("summary"); p.check("#id_taste_2"); p.check("#id_recommend_10"); p.check("#id_anonymous_1")
    p.screenshot(path="/tmp/l2.png", full_page=True)
    p.fill("#id_name", "Tom"); p.fill("#id_phone", "12")
    p.click("button.send"); p.wait_for_selector(".problem ul")
    p.screenshot(path="/tmp/l3.png", full_page=True)
    p.fill("#id_phone", "1380013800"); p.click("button.send"); p.wait_for_selector(".reference")
    p.screenshot(path="/tmp/l4.png", full_page=True)
    p = open_page("/privacy", width=1280); p.screenshot(path="/tmp/l5.png", full_page=True)
    p = open_page("/erase?lang=en"); p.screenshot(path="/tmp/l6.png", full_page=True)
    p = open_page("/s/sh01", width=1280); p.screenshot(path="/tmp/l7.png", full_page=True)
