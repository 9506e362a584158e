/*
 * Buttons of the machine, wired to pins of a GPIO controller: power and restart.
 *
 * Linux's gpio-keys binding says in the device tree which pin is which. A push lasts 100 ms of the
 * machine's time, longer than drivers debounce.
 */
#include <string.h>

#include "core/build.h"
#include "core/device-spec.h"
#include "core/fdt.h"

enum { POWER, RESTART, BUTTONS }; /* in the order of the schema's irqs */
#define PUSH_NS (NS_PER_SECOND / 10)

/* Linux's input-event-codes.h */
enum { KEY_POWER = 116, KEY_RESTART = 0x198 };

typedef struct Keys {
    Device dev;

    Timer *timer;

    uint8_t down[BUTTONS];
    uint64_t until;
} Keys;

static const struct Button {
    const char *name, *label;
    uint32_t code;
} buttons[BUTTONS] = {
    [POWER] = { "power", "Power", KEY_POWER },
    [RESTART] = { "restart", "Restart", KEY_RESTART },
};

static void set_down(Keys *k, unsigned button, bool down)
{
    k->down[button] = down;
    device_set_irq(&k->dev, button, down);
}

static void let_go(void *data)
{
    for (unsigned i = 0; i < BUTTONS; i++) {
        set_down(data, i, false);
    }
}

static bool keys_press(Device *dev, const char *button)
{
    Keys *k = (Keys *)dev;

    for (unsigned i = 0; i < BUTTONS; i++) {
        if (strcmp(buttons[i].name, button) == 0) {
            set_down(k, i, true);
            k->until = device_now(dev) + PUSH_NS;
            timer_set(k->timer, k->until);
            return true;
        }
    }
    return false;
}

static void keys_describe(const Device *dev, FdtNode *node)
{
    for (unsigned i = 0; i < dev->spec->irq_count; i++) {
        const IrqSpec *pin = &dev->spec->irqs[i];
        const struct Button *button = &buttons[pin->output];
        FdtNode *gpio = fdt_node_for(
            fdt_tree(node), machine_find_device(dev->machine, pin->controller));
        FdtNode *key = fdt_child(node, "%s", button->name);

        fdt_put_string(key, "label", button->label);
        fdt_put_u32(key, "linux,code", button->code);
        fdt_put_cells(key, "gpios", (uint32_t[]){ fdt_handle(gpio), pin->line, 0 }, 3);
    }
}

static bool keys_start(Device *dev, Diag *diag)
{
    Keys *k = (Keys *)dev;

    k->timer = timer_new(device_clock(dev), let_go, k);
    return true;
}

static void keys_stop(Device *dev)
{
    timer_free(((Keys *)dev)->timer);
}

static void keys_reset(Device *dev)
{
    timer_cancel(((Keys *)dev)->timer);
    let_go(dev);
}

static void keys_loaded(Device *dev)
{
    Keys *k = (Keys *)dev;

    timer_cancel(k->timer);
    for (unsigned i = 0; i < BUTTONS; i++) {
        set_down(k, i, k->down[i]);
        if (k->down[i]) {
            timer_set(k->timer, k->until);
        }
    }
}

static const Saved keys_saved[] = { SAVED(Keys, down), SAVED(Keys, until), {} };

DEVICE_CLASS(gpio_keys) = {
    .name = "gpio-keys",
    .state_size = sizeof(Keys),
    .saved = keys_saved,
    .start = keys_start,
    .stop = keys_stop,
    .reset = keys_reset,
    .loaded = keys_loaded,
    .describe = keys_describe,
    .press = keys_press,
};
