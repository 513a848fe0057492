# sipgw as a container. README, "Run it as a service", says how to run it: with the host's network, because each call
# takes two UDP ports of its own and a port map of thousands costs a process each, and hides the callers' addresses.
#
#   docker build -t sipgw .
#   docker run --network host -v ./sipgw.yaml:/etc/sipgw/sipgw.yaml:ro -v sipgw:/var/lib/sipgw sipgw

ARG DEBIAN=bookworm-slim

FROM debian:${DEBIAN} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY sipgw sipgw
COPY codecs codecs
COPY config config
COPY pcaps pcaps
# --copies: the second stage has the same interpreter, at the same place, but nothing here may lean on this stage.
RUN python3 -m venv --copies /opt/sipgw \
    && /opt/sipgw/bin/pip install --no-cache-dir --disable-pip-version-check ".[postgresql]" \
    && /opt/sipgw/bin/python -m compileall -q /opt/sipgw/lib

FROM debian:${DEBIAN}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libopus0 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 990 sipgw \
    && useradd --system --uid 990 --gid sipgw --home-dir /var/lib/sipgw --no-create-home --shell /usr/sbin/nologin sipgw \
    && install -d -o sipgw -g sipgw -m 0700 /var/lib/sipgw \
    && install -d -m 0755 /etc/sipgw
COPY --from=build /opt/sipgw /opt/sipgw
RUN install -m 0644 /opt/sipgw/lib/python3*/site-packages/sipgw/_data/config/sipgw.yaml /etc/sipgw/sipgw.yaml
ENV PATH=/opt/sipgw/bin:$PATH \
    SIPGW_CONFIG=/etc/sipgw/sipgw.yaml \
    SIPGW_STATE=/var/lib/sipgw
USER sipgw
WORKDIR /var/lib/sipgw
VOLUME /var/lib/sipgw
# SIGTERM drains: give `docker stop` at least calls.drain_limit (--stop-timeout 330), or it ends the calls after 10 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["sipgw", "health"]
ENTRYPOINT ["sipgw"]
CMD ["run"]
