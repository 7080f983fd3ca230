# syntax=docker/dockerfile:1
# ted-controller, without the simulated AWS. Nothing of the build gets into the final image but one binary.
#
#   docker build -t ted-controller .
#   docker run --rm ted-controller plan --help
#
# The final image has certificates, time zones are in the binary, and an SSH client for git sources over ssh. It runs as user 65532 on a
# read-only root file system; only /var/lib/ted-controller is written to (audit, history: comfort and evidence, never needed for safety).

FROM rust:1.94-slim-bookworm AS build
WORKDIR /src
# The toolchain of the image is used: rust-toolchain.toml is for developers.
ENV RUSTUP_TOOLCHAIN=1.94 CARGO_TERM_COLOR=never
COPY Cargo.toml Cargo.lock ./
COPY sim/Cargo.toml sim/Cargo.toml
COPY benches benches
COPY sim/benches sim/benches
# Dependencies first, on empty crates: a change of ours does not build the AWS SDKs again.
RUN mkdir -p src sim/src \
    && echo 'fn main() {}' > src/main.rs && touch src/lib.rs sim/src/lib.rs \
    && cargo build --locked --release --no-default-features --bin ted-controller \
    && rm -r src sim/src
COPY src src
COPY config config
# Cargo goes by modification times; the copied files may be older than the empty crates' build.
RUN mkdir -p sim/src && touch sim/src/lib.rs && find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --release --no-default-features --bin ted-controller

FROM debian:bookworm-slim
# No pinned versions: security updates of the base are wanted with every build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 ted-controller \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /var/lib/ted-controller --shell /usr/sbin/nologin ted-controller \
    && install -d -o 65532 -g 65532 -m 0700 /var/lib/ted-controller
COPY --from=build /src/target/release/ted-controller /usr/local/bin/ted-controller
USER 65532:65532
ENV HOME=/var/lib/ted-controller
EXPOSE 8080
ENTRYPOINT ["ted-controller"]
# Looks and touches nothing until the configuration says otherwise.
CMD ["run", "--config", "/etc/ted-controller/controller.yaml"]
