# Two images: `chain` (anvil) and `daemon` (zugzwang with its models and the verifier's compiler).
FROM node:20-bookworm-slim AS packages
WORKDIR /zugzwang/contracts
COPY contracts/package.json contracts/package-lock.json ./
RUN npm ci --no-audit --no-fund

FROM packages AS chain
USER node
EXPOSE 8545
ENTRYPOINT ["npx", "--no-install", "anvil", "--host", "0.0.0.0", "--port", "8545"]

FROM rust:1.95-bookworm AS build
WORKDIR /zugzwang
COPY Cargo.toml Cargo.lock ./
COPY circuits circuits
COPY contracts contracts
COPY daemon daemon
COPY tests tests
RUN cargo build --release --locked -p zugzwang

FROM node:20-bookworm-slim AS daemon
WORKDIR /zugzwang
RUN mkdir /data && chown node:node /data
COPY --from=packages /zugzwang/contracts/node_modules contracts/node_modules
COPY contracts/build.mjs contracts/package.json contracts/
COPY models models
COPY scripts/deploy-local /usr/local/bin/
COPY --from=build /zugzwang/target/release/zugzwang /usr/local/bin/
USER node
VOLUME /data
ENTRYPOINT ["zugzwang"]
CMD ["run", "--config", "/data/zugzwang.toml"]
