# A Docker Space of the Hugging Face Hub, and any other container host. docs/running.md shows how to build it.
FROM python:3.11-slim

# PyTorch's own index of CPU-only builds; both torch and torchvision come from it.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

RUN useradd -m -u 1000 user
USER user
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    HF_HOME=/home/user/.cache/huggingface \
    HF_HUB_DISABLE_TELEMETRY=1 \
    PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_BROWSER_GATHER_USAGE_STATS=false
RUN mkdir -p /home/user/app /home/user/.cache/huggingface
WORKDIR /home/user/app

# The heavy packages first: this layer stays as it is when only the source changes.
COPY --chown=user constraints.txt pyproject.toml ./
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url "$TORCH_INDEX" torch torchvision
COPY --chown=user . .
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url "$TORCH_INDEX" -e .

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"
# A Space shows the app in a frame of another host: uploads there need the cross-site cookie, which wants HTTPS.
CMD ["sh", "-c", "exec streamlit run app.py --server.port 8501 --server.address 0.0.0.0 ${SPACE_HOST:+--server.xsrfCookieSameSite=none}"]
