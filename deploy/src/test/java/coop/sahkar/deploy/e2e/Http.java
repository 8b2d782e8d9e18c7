package coop.sahkar.deploy.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;

/** Raw HTTP to a gateway. */
final class Http {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int LIMIT_MILLIS = 20_000;

    /** Not what the JDK does by itself: its change to HTTP/2 in the open is not what is tested. */
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final String address;

    Http(String address) {
        this.address = address;
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(request(path, body), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://" + address + path))
                        .timeout(LIMIT)
                        .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(URI.create("http://" + address + path))
                .timeout(LIMIT)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    /**
     * Asks for a stream and hands over its lines as they come. Returns when the stream has ended as
     * HTTP wants it to.
     *
     * @throws IOException if it was cut off
     */
    void stream(String path, String body, Consumer<String> line)
            throws IOException, InterruptedException {
        HttpResponse<InputStream> response =
                client.send(request(path, body), HttpResponse.BodyHandlers.ofInputStream());
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            String next = lines.readLine();
            while (next != null) {
                line.accept(next);
                next = lines.readLine();
            }
        }
    }

    /** Asks for a stream and hangs up rudely as soon as the first bytes of it are here. */
    void hangUp(String path, String body) throws IOException {
        try (Socket socket = connect(address)) {
            byte[] content = body.getBytes(StandardCharsets.UTF_8);
            String head =
                    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                            .formatted(path, content.length);
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(content);
            if (socket.getInputStream().read() != 'H') {
                throw new IOException("no HTTP answer");
            }
            socket.setSoLinger(true, 0); // a reset, not a goodbye
        }
    }

    /** Sends bytes that mean nothing, and waits until the other side has had enough or a moment. */
    static void garbage(String address, byte[] bytes) throws IOException {
        try (Socket socket = connect(address)) {
            socket.setSoTimeout(500);
            socket.getOutputStream().write(bytes);
            socket.getInputStream().readNBytes(64 * 1024);
        } catch (IOException closed) {
            // It hung up, or said nothing: either will do.
        }
    }

    private static Socket connect(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        Socket socket = new Socket();
        socket.setSoTimeout(LIMIT_MILLIS);
        socket.connect(
                new InetSocketAddress(
                        address.substring(0, colon),
                        Integer.parseInt(address.substring(colon + 1))),
                LIMIT_MILLIS);
        return socket;
    }
}
