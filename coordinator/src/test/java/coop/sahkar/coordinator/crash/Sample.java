package coop.sahkar.coordinator.crash;

import coop.sahkar.coordinator.crash.Stepwise.Remains;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which moments are looked at: of each kind one, drawn by a seed, or all of them with {@code
 * -Dsahkar.crash=all}. {@code -Dsahkar.crash.seed=N} draws what a run before has drawn.
 */
final class Sample {
    private static final long SEED = Long.getLong("sahkar.crash.seed", System.nanoTime());
    private static final boolean ALL = System.getProperty("sahkar.crash", "").equals("all");

    private Sample() {}

    /** What to tell of a failure. */
    static String seed() {
        return "-Dsahkar.crash.seed=" + SEED;
    }

    /** Those to look at after a kill. */
    static List<Remains> of(List<Remains> all) {
        return drawn(all, all.size());
    }

    /** At most so many of those where something takes room. */
    static List<Remains> growing(List<Remains> all, int most) {
        return drawn(
                all.stream().filter(one -> one.before().matches("open|write|mkdir")).toList(),
                most);
    }

    private static List<Remains> drawn(List<Remains> all, int most) {
        if (ALL) {
            return all;
        }
        Random random = new Random(SEED);
        Map<String, List<Remains>> kinds =
                all.stream()
                        .collect(
                                Collectors.groupingBy(
                                        Remains::kind, TreeMap::new, Collectors.toList()));
        List<Remains> drawn = new ArrayList<>();
        for (List<Remains> alike : kinds.values()) {
            drawn.add(alike.get(random.nextInt(alike.size())));
        }
        Collections.shuffle(drawn, random);
        return drawn.subList(0, Math.min(most, drawn.size()));
    }
}
