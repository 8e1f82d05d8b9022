# syntax=docker/dockerfile:1
# scoresync in a container: one binary, run as a user without rights. The configuration is mounted, secrets come from
# the environment or from files.

ARG RUST_VERSION=1.92

FROM rust:${RUST_VERSION}-bookworm AS builder
RUN apt-get update \
 && apt-get install --yes --no-install-recommends cmake libcurl4-openssl-dev libssl-dev pkg-config zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package scoresync \
 && install -m 755 target/release/scoresync /usr/local/bin/scoresync

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libcurl4 libssl3 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/scoresync --create-home scoresync
COPY --from=builder /usr/local/bin/scoresync /usr/local/bin/scoresync
ENV SCORESYNC_CONFIG=/etc/scoresync/scoresync.toml
USER 10001:10001
WORKDIR /var/lib/scoresync
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/scoresync"]
CMD ["--help"]
