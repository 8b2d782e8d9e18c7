package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.client.InferenceException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Somebody else, who asks for one story after another while a test does its worst. */
final class Bystander {
    private static final int END_MILLIS = 30_000;

    private final TestPool pool;
    private final String expected;
    private final List<String> answers = new CopyOnWriteArrayList<>();
    private final List<InferenceException> failures = new CopyOnWriteArrayList<>();
    private final Thread thread = new Thread(this::ask, "bystander");
    private volatile boolean over;

    private Bystander(TestPool pool, String expected) {
        this.pool = pool;
        this.expected = expected;
    }

    /** Begins to ask, once it knows what is answered to somebody who is alone. */
    static Bystander of(TestPool pool) {
        Bystander bystander = new Bystander(pool, story(pool));
        bystander.thread.start();
        return bystander;
    }

    private static String story(TestPool pool) {
        return pool.client().complete(Questions.steady(pool.model())).text();
    }

    private void ask() {
        while (!over) {
            try {
                answers.add(story(pool));
            } catch (InferenceException e) {
                failures.add(e);
            }
        }
    }

    /** Stops asking. Every answer came, whole and the same as before. */
    void assertUndisturbed() throws InterruptedException {
        over = true;
        thread.join(END_MILLIS);
        assertThat(failures).isEmpty();
        assertThat(answers).isNotEmpty().allMatch(expected::equals);
    }
}
