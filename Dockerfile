# byhand in a container:
#   docker build --tag byhand .
#   docker run --rm --volume "$PWD:/data" byhand compare --recipe my.json
FROM debian:trixie-slim

# The packages are a layer of their own, which stays in the cache while the sources change.
COPY scripts/setup scripts/common.bash /opt/byhand/scripts/
RUN /opt/byhand/scripts/setup --run && rm -rf /var/lib/apt/lists/*

COPY . /opt/byhand
RUN /opt/byhand/scripts/build byhand byhand-lab byhand-bench

# Files are read from here and written here.
WORKDIR /data
ENTRYPOINT ["/opt/byhand/build/release/byhand"]
CMD ["help"]
