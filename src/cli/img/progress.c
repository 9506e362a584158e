#include <stdio.h>

#include "cli/img/img.h"

enum { WIDTH = 50 };

void img_progress(ImgProgress *progress, uint64_t done)
{
    static const char bar[] = "##################################################";
    unsigned percent = progress->total ? done * 100 / progress->total : 100;

    G_STATIC_ASSERT(sizeof(bar) == WIDTH + 1);
    if (progress->show && (percent != progress->percent || !progress->any)) {
        progress->percent = percent;
        progress->any = true;
        fprintf(stderr, "\r[%-*.*s] %3u %%", WIDTH, (int)percent * WIDTH / 100, bar, percent);
    }
}

bool img_pace_parse(Img *img, ImgPace *pace)
{
    GError *error = NULL;

    if (img->rate && !block_parse_size(img->rate, &pace->rate, &error)) {
        return img_fail(img, EXIT_DESCRIPTION, error);
    }
    return true;
}

void img_pace_wait(ImgPace *pace, IoLoop *loop, uint64_t bytes)
{
    int64_t now = io_loop_now(), start = MAX(pace->next, now);

    if (pace->rate > 0) {
        pace->next = start + (double)bytes * 1e9 / pace->rate;
        io_loop_sleep(loop, start - now);
    }
}

void img_progress_end(ImgProgress *progress)
{
    if (progress->show) {
        img_progress(progress, progress->total);
        fputc('\n', stderr);
    }
}
