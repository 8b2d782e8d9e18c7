package coop.sahkar.worker.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves one page, {@code /metrics}, to Prometheus. */
final class MetricsServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsServer.class);
    private static final String PATH = "/metrics";
    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    private static final int BACKLOG = 16;

    private final HttpServer server;
    private final ExecutorService threads;

    private MetricsServer(HttpServer server, ExecutorService threads) {
        this.server = server;
        this.threads = threads;
    }

    /**
     * Listens.
     *
     * @param page makes the page anew for every reader
     * @throws IOException in a sentence, if the port is taken
     */
    static MetricsServer start(InetSocketAddress at, Supplier<String> page) throws IOException {
        HttpServer server;
        try {
            server = HttpServer.create(at, BACKLOG);
        } catch (IOException e) {
            throw new IOException(
                    "cannot show metrics at %s:%d (%s); choose another address or port"
                            .formatted(at.getHostString(), at.getPort(), e.getMessage()),
                    e);
        }
        ExecutorService threads = Executors.newSingleThreadExecutor(Thread.ofVirtual().factory());
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, page));
        server.start();
        return new MetricsServer(server, threads);
    }

    private static void answer(HttpExchange exchange, Supplier<String> page) {
        try (exchange) {
            if (!exchange.getRequestURI().getPath().equals(PATH)) {
                exchange.sendResponseHeaders(404, -1);
            } else if (!exchange.getRequestMethod().equals("GET")) {
                exchange.getResponseHeaders().set("Allow", "GET");
                exchange.sendResponseHeaders(405, -1);
            } else {
                send(exchange, page.get().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            LOG.debug("a reader of the metrics hung up", e);
        } catch (RuntimeException e) {
            LOG.error("a fault of ours in showing metrics", e);
        }
    }

    private static void send(HttpExchange exchange, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", CONTENT_TYPE);
        exchange.sendResponseHeaders(200, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    /** The page's address. */
    URI url() {
        InetSocketAddress at = server.getAddress();
        String host = at.getAddress().getHostAddress();
        return URI.create(
                "http://%s:%d%s"
                        .formatted(
                                host.contains(":") ? "[" + host + "]" : host, at.getPort(), PATH));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
