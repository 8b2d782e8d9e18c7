package coop.sahkar.client.provider;

import java.time.Duration;

/**
 * How long a provider may be silent.
 *
 * @param connect until a connection stands
 * @param first from the question to the first text, keep-alives or not
 * @param silence between two signs of life after the first text; a keep-alive is one
 */
public record Patience(Duration connect, Duration first, Duration silence) {
    /** Longer than anybody waits. */
    public static final Duration FOREVER = Duration.ofDays(365);

    /** 5 s to connect, 60 s to the first text, 30 s between pieces. */
    public static final Patience DEFAULT =
            new Patience(Duration.ofSeconds(5), Duration.ofSeconds(60), Duration.ofSeconds(30));

    public Patience {
        if (!connect.isPositive() || !first.isPositive() || !silence.isPositive()) {
            throw new IllegalArgumentException("patience must be positive");
        }
    }
}
