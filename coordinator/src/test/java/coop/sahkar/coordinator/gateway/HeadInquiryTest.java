package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What happened, in order, and what follows from it. */
class HeadInquiryTest {
    private final ArrayDeque<Runnable> behindWork = new ArrayDeque<>();
    private final ArrayDeque<Runnable> behindTime = new ArrayDeque<>();
    private final List<Boolean> verdicts = new ArrayList<>();
    private boolean heard;

    /**
     * "written": what lay before the question is done; "time": the head has had its time; "read":
     * what had come by then was read; "event": something came from the head; "yes", "broken": the
     * question was answered, or its connection broke.
     */
    @ParameterizedTest
    @CsvSource({
        "written time read, false",
        "written yes, true",
        "yes, true",
        "broken, false",
        "written broken time read, false",
        "written time yes, true",
        "written time yes read, true",
        "written event time read, true",
        "written time event read, true",
        "event written time read, true",
        "written time read yes, false",
        "written yes time read, true"
    })
    void itIsLostOnlyWhenNothingCameThoughAllWasRead(String course, boolean here) {
        play(course);
        assertThat(verdicts).containsExactly(here);
    }

    @ParameterizedTest
    @CsvSource({"''", "written", "written time", "written event", "written time event"})
    void nothingIsSaidBefore(String course) {
        play(course);
        assertThat(verdicts).isEmpty();
    }

    private void play(String course) {
        HeadInquiry inquiry =
                new HeadInquiry(() -> heard, behindWork::add, behindTime::add, verdicts::add);
        inquiry.asked();
        for (String step : course.isEmpty() ? List.<String>of() : List.of(course.split(" "))) {
            switch (step) {
                case "written", "read" -> behindWork.remove().run();
                case "time" -> behindTime.remove().run();
                case "event" -> heard = true;
                case "yes" -> inquiry.answered(true);
                case "broken" -> inquiry.answered(false);
                default -> throw new IllegalArgumentException(step);
            }
        }
    }
}
