FROM debian:trixie-slim
# Each build takes Debian's newest correction of nginx
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends nginx-light \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=644 dockerfiles/nginx.conf /etc/nginx/nginx.conf

USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --start-interval=1s \
    CMD ["bash", "-c", "</dev/tcp/127.0.0.1/8080"]
ENTRYPOINT ["nginx", "-e", "stderr", "-g", "daemon off;"]
