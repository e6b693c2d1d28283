import { expect, it } from "vitest";
import { judge, withAnswer } from "./connection";

it("a way is judged by its answers", () => {
  expect(judge([])).toBe("checking");
  expect(judge([20])).toBe("checking");
  expect(judge([20, 25])).toBe("good");
  expect(judge([20, 25, 400])).toBe("unstable");
  expect(judge([250, 260])).toBe("unstable");
  expect(judge([20, null, 25])).toBe("unstable");
  expect(judge([700, 900])).toBe("poor");
  expect(judge([null, null])).toBe("poor");
});

it("old answers are forgotten", () => {
  let answers: (number | null)[] = [null, null];
  for (let number = 0; number < 6; number += 1) answers = withAnswer(answers, 20);
  expect(answers).toEqual([20, 20, 20, 20, 20, 20]);
});
