package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.network.SmallInternet;
import java.io.IOException;
import java.util.List;
import java.util.random.RandomGenerator;

/** How the network between coordinators breaks. */
public enum Cut {
    /** It and the others do not reach each other; clients reach all. */
    LEADER_ALONE("the leader alone"),
    /** Its cable is pulled: the majority goes on without it, and no client reaches it. */
    LEADER_GONE("a majority without the leader"),
    /** What it sends to the others is lost; what they send arrives. */
    LEADER_UNHEARD("the leader unheard, one way"),
    /** What the others send to it is lost; what it sends arrives. */
    LEADER_DEAF("the leader deaf, one way"),
    /** Another coordinator and the rest do not reach each other; clients reach all. */
    FOLLOWER_ALONE("another coordinator alone"),
    /** The leader and one more do not reach each other; the others reach both. */
    TWO_APART("the leader and one more apart");

    private final String words;

    Cut(String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }

    /** Breaks the network so. */
    void fall(SmallInternet internet, List<String> ids, String leader, RandomGenerator random)
            throws IOException {
        List<String> others = ids.stream().filter(id -> !id.equals(leader)).toList();
        String one = others.get(random.nextInt(others.size()));
        switch (this) {
            case LEADER_ALONE -> apart(internet, leader, others);
            case LEADER_GONE -> internet.pull(leader);
            case LEADER_UNHEARD -> {
                for (String other : others) {
                    internet.drop(leader, other);
                }
            }
            case LEADER_DEAF -> {
                for (String other : others) {
                    internet.drop(other, leader);
                }
            }
            case FOLLOWER_ALONE ->
                    apart(internet, one, ids.stream().filter(id -> !id.equals(one)).toList());
            case TWO_APART -> apart(internet, leader, List.of(one));
        }
    }

    private static void apart(SmallInternet internet, String id, List<String> others)
            throws IOException {
        for (String other : others) {
            internet.drop(id, other);
            internet.drop(other, id);
        }
    }
}
