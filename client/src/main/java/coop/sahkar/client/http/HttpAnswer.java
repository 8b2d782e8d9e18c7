package coop.sahkar.client.http;

import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One request and its answer. A virtual thread of its own reads from the service and waits while
 * the reader of the answer is behind; cancelling interrupts it, which closes the exchange.
 */
final class HttpAnswer implements Answer {
    private static final AnswerEvent CANCELLED =
            new AnswerEvent.Failed(
                    Failure.of(FailureKind.CANCELLED, "The generation was cancelled."));

    private final HttpClient client;
    private final HttpRequest request;
    private final String service;
    private final Dialect.Reading reading;
    private final BlockingQueue<AnswerEvent> events =
            new ArrayBlockingQueue<>(Bounds.MAX_WAITING_EVENTS);
    private final Thread thread;
    private volatile boolean cancelled;
    private boolean over;

    HttpAnswer(HttpClient client, HttpRequest request, String service, Dialect.Reading reading) {
        this.client = client;
        this.request = request;
        this.service = service;
        this.reading = reading;
        this.thread = Thread.ofVirtual().name("sahkar-http").unstarted(this::run);
    }

    HttpAnswer start() {
        thread.start();
        return this;
    }

    @Override
    public AnswerEvent take(Duration longest) throws InterruptedException {
        AnswerEvent event =
                cancelled ? CANCELLED : events.poll(longest.toNanos(), TimeUnit.NANOSECONDS);
        if (cancelled) {
            return CANCELLED;
        }
        return event == null ? new AnswerEvent.Silence() : event;
    }

    @Override
    public void cancel() {
        cancelled = true;
        // Wakes a reader that waits; one who comes later looks at the flag.
        var _ = events.offer(CANCELLED);
        thread.interrupt();
    }

    private void run() {
        try {
            HttpResponse<InputStream> response =
                    client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                read(response, body);
            }
        } catch (NotAnAnswer e) {
            fail(Failure.of(FailureKind.BROKEN, "%s %s.".formatted(service, e.getMessage()), e));
        } catch (HttpConnectTimeoutException e) {
            fail(
                    Failure.of(
                            FailureKind.NETWORK,
                            "%s cannot be reached in time; check the address.".formatted(service),
                            e));
        } catch (IOException e) {
            fail(
                    Failure.of(
                            FailureKind.NETWORK,
                            "The connection to %s failed (%s); check the address and the network."
                                    .formatted(service, reason(e)),
                            e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            fail(Failure.of(FailureKind.BROKEN, "%s: %s".formatted(service, e), e));
            throw e;
        }
    }

    private static String reason(IOException e) {
        String said = e.getMessage();
        return said == null ? e.getClass().getSimpleName() : Refusals.quoted(said);
    }

    private void read(HttpResponse<InputStream> response, InputStream body)
            throws IOException, InterruptedException, NotAnAnswer {
        var header = response.headers();
        if (response.statusCode() != 200) {
            String said =
                    new String(body.readNBytes(Bounds.MAX_ERROR_BYTES), StandardCharsets.UTF_8);
            fail(
                    Refusals.of(
                            service,
                            response.statusCode(),
                            header::firstValue,
                            said,
                            Instant.now()));
            return;
        }
        put(new AnswerEvent.Alive());
        var rest = Rests.used(header::firstValue, Instant.now());
        if (rest.isPresent()) {
            put(new AnswerEvent.Exhausted(rest.get()));
        }
        String type = header.firstValue("content-type").orElse("").toLowerCase(Locale.ROOT);
        if (type.startsWith("application/json")) {
            putAll(reading.whole(whole(body)));
        } else if (type.isEmpty() || type.startsWith("text/event-stream")) {
            stream(body);
        } else {
            throw new NotAnAnswer(
                    "answered with %s, which is no answer; check the base URL"
                            .formatted(Refusals.quoted(type)));
        }
    }

    private void stream(InputStream body) throws IOException, InterruptedException, NotAnAnswer {
        Sse sse = new Sse(new Lines(body));
        while (!over) {
            switch (sse.next()) {
                case Sse.Frame.Comment() -> put(new AnswerEvent.Alive());
                case Sse.Frame.Event(String name, String data) -> putAll(reading.event(name, data));
                case null -> {
                    putAll(reading.end());
                    return;
                }
            }
        }
    }

    static Json whole(InputStream body) throws IOException, NotAnAnswer {
        byte[] bytes = body.readNBytes(Bounds.MAX_BODY_BYTES + 1);
        if (bytes.length > Bounds.MAX_BODY_BYTES) {
            throw new NotAnAnswer(
                    "sent more than %d bytes in one piece".formatted(Bounds.MAX_BODY_BYTES));
        }
        return Json.parse(new String(bytes, StandardCharsets.UTF_8))
                .orElseThrow(() -> new NotAnAnswer("sent what is no JSON"));
    }

    private void putAll(List<AnswerEvent> all) throws InterruptedException {
        for (AnswerEvent event : all) {
            put(event);
        }
    }

    private void put(AnswerEvent event) throws InterruptedException {
        if (over || cancelled) {
            return;
        }
        over = event instanceof AnswerEvent.Finished || event instanceof AnswerEvent.Failed;
        events.put(event);
    }

    private void fail(Failure failure) {
        try {
            put(new AnswerEvent.Failed(failure));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
