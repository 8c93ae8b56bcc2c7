# The book in a container: `docker build -t genept-book .`, then `docker run genept-book`.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
WORKDIR /book
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps -e . && touch /usr/local/.installed
# VENV names where the environment lies, which the image has already
CMD ["make", "book", "VENV=/usr/local"]
