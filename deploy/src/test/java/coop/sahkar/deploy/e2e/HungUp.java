package coop.sahkar.deploy.e2e;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the gateway notices readers that hang up. */
final class HungUp {
    private static final Pattern ABANDONED =
            Pattern.compile("sahkar_generations_ended_total\\{outcome=\"abandoned\"} ([0-9.]+)");

    private HungUp() {}

    /**
     * Hangs up until it is noticed: the tiny model may come to its end before the reader does.
     *
     * @param hangUp asks for a long answer and leaves it
     */
    static void isNoticed(TestPool pool, ClientCase.Check hangUp) throws Exception {
        Http http = new Http(pool.address());
        double before = count(http);
        await("an abandoned answer")
                .atMost(TestPool.SOON)
                .until(() -> {
                    hangUp.run();
                    return count(http) > before;
                });
        await("free workers").atMost(TestPool.SOON).until(pool::idle);
    }

    private static double count(Http http) throws IOException, InterruptedException {
        Matcher found = ABANDONED.matcher(http.get("/metrics").body());
        return found.find() ? Double.parseDouble(found.group(1)) : 0;
    }
}
