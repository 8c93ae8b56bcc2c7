"""What tests do on the pages of genes: wait until one is ready, choose a gene, ask about a list."""


def ready(page, selector):
    page.wait_for_selector(f"{selector}[data-ready]", state="attached")
    return page


def choose(page, typed):
    """Type a gene on the map and take what is found."""
    page.fill("#gene-input", typed)
    page.keyboard.press("Enter")


def ask(page, text):
    """The answer of the list page as text."""
    page.fill("textarea", text)
    answered(page, "button.ask")
    return page.inner_text(".list-answer")


def answered(page, button):
    """Press a button of the list page and wait for the next answer."""
    before = int(page.get_attribute(".list-answer", "data-ready") or 0)
    page.locator(button).first.click()
    page.wait_for_selector(f".list-answer[data-ready='{before + 1}']", state="attached")
